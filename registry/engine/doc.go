// Package engine connects to Docker Engine: it reads and writes images, and opens connections to the BuildKit in it.
//
// Most callers need two calls: Open, which finds the engine that the docker command would use, and Engine.Save, which
// writes an image as the tar that package archive reads. Engine.Load does the opposite.
//
// An engine loads and saves one platform at a time, and with containerd's image store whole lists (see KeepsLists and
// ListLoad). Without that store it keeps neither manifests nor compressed layers, so a saved image has other digests
// than the loaded one. The package does not build images; see Dial for
// that.
package engine
