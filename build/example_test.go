package build_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/worker"
	"mtool/registry"
	"mtool/registry/store"
)

// ExampleCheck finds Dockerfile lines that put files of another architecture into an image.
func ExampleCheck() {
	dir, err := os.MkdirTemp("", "context")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	dockerfile := "FROM scratch\nADD https://example.com/app-linux-amd64 /app\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	spec := build.Spec{Context: dir, Platforms: []v1.Platform{{OS: "linux", Architecture: "arm64"}}}
	warnings, err := build.Check(context.Background(), spec, build.Options{})
	for _, w := range warnings {
		fmt.Println(w.Line, w.Rule)
	}
	fmt.Println(err)
	// Output:
	// 2 MT103
	// <nil>
}

// ExampleRun builds an image for two platforms into a store.
func ExampleRun() {
	worker.Main() // first in main: the worker is this program, started again

	images := store.Open("/var/lib/example/store")
	spec := build.Spec{
		Context:   ".",
		Platforms: []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
		Name: func(p v1.Platform) registry.Ref {
			ref, _ := registry.ParseRef("demo:v1-" + p.Architecture) // a constant name, which is valid
			return ref
		},
	}
	result, err := build.Run(context.Background(), spec, build.Options{Store: images, StateDir: "/var/lib/example/worker"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, image := range result.Images {
		fmt.Println(image.Platform, image.Ref)
	}
}
