// Package build makes images: one for each platform asked for, by BuildKit, into the local store.
//
// Run is the one call. Base images in the local store are served to the worker from there; the worker fetches all others
// itself, and asks this side for credentials. When one platform fails, no image is stored.
//
// A program that uses the embedded worker calls worker.Main first thing in its main: the worker is the same program again.
//
// The package makes no lists: package compose makes them from what Run returns.
//
// Stable from v1 on: Spec, Options, Result, Run, Check and worker.Main. The worker's state is a cache: another version may
// begin it anew.
package build
