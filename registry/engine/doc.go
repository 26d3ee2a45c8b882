// Package engine speaks to Docker Engine: its images as sources and as targets, and connections to the BuildKit in it.
//
// Most callers need two calls: Open, which finds the engine that the docker command would use, and Engine.Save, which writes
// an image as the tar that package archive reads. Engine.Load is the way back.
//
// An engine takes and gives one platform at a time. It keeps neither manifests nor compressed layers (its containerd store
// does), so that what is saved has other digests than what was loaded. Images are not built here; see Dial for that.
package engine
