// Package build builds images with BuildKit, one for each requested platform, into the local store.
//
// Run is the one call. Base images in the local store are served to the worker from there; the worker fetches all
// others itself, and asks this side for credentials. If one platform fails, no image is stored.
//
// A program that uses the embedded worker calls worker.Main first in its main function: the worker is the same
// program, started again.
//
// The package makes no lists: package compose makes them from what Run returns.
//
// Stable from v1 on: Spec, Options, Result, Run, Check and worker.Main. The worker's state is a cache: another
// version may start from scratch.
package build
