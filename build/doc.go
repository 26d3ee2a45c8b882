// Package build makes images: one for each platform asked for, by BuildKit, into the local store.
//
// Run is the one call; buildkit.Solver is what it wants as Options.Solver. When one platform fails none is stored.
//
// The package makes no lists: package compose does, out of what Run returns.
package build
