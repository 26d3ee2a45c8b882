// Package build makes images: one for each platform asked for, by BuildKit, into the local store.
//
// Run is the one call; Options.Solver is a buildkit.Solver. When one platform fails, no image is stored.
//
// The package makes no lists: package compose makes them from what Run returns.
package build
