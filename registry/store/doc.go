// Package store keeps images and lists in a directory that is a plain OCI image layout, so that other tools can read
// it:
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
//
// Most callers need two calls: Store.Get, which opens an image by its full name, and Store.Writer, which returns a
// registry.Target that writes one. Reader reads any layout, also one within a tar; Layout writes any layout directory.
// Package archive builds on both.
//
// Any number of processes may use one store. Files appear by rename only; index.json is edited under a lock; content
// without a name yet is safe from garbage collection by other processes. Locks and partly written files are in the
// layout's folder .mtool.
//
// The package does not judge what it stores, does not interpret platforms and opens no connections.
package store
