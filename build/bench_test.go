package build_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/worker"
)

// BenchmarkStart starts a worker on an existing state and stops it.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		w, err := worker.Start(b.Context(), worker.Options{StateDir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCachedBuild measures a build in which every step is cached.
func BenchmarkCachedBuild(b *testing.B) {
	h := newHome(b)
	spec := build.Spec{
		Context: contextDir(b, runApp, native()), Platforms: []v1.Platform{native()}, Name: named(b),
		Progress: "quiet",
	}
	for b.Loop() {
		if _, err := build.Run(b.Context(), spec, h.o); err != nil {
			b.Fatal(err)
		}
	}
}
