// Package store keeps images and lists in a directory that is a plain OCI image layout, so that other tools can read it:
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
//
// Most callers need two calls: Store.Get, which opens an image by its full name, and Store.Writer, a registry.Target that
// puts one there. Reader reads any layout, also one within a tar; Layout writes any layout directory. Package archive is
// made of both.
//
// Any number of processes may use one store. Files appear by rename only; index.json is edited under a lock; content
// that is written but not named yet is safe from the garbage collection of other processes. Locks and partly written files
// are in the folder .mtool of the layout.
//
// The package does not judge what it stores, knows no platforms and makes no connections.
package store
