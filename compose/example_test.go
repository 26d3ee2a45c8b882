package compose_test

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// Example composes a list from two images and prints what its plan would push.
func Example() {
	name := registry.Ref{Transport: registry.TransportRegistry, Host: "registry.example", Repo: "demo", Tag: "v1"}
	var sources []compose.Source
	for _, arch := range []string{"amd64", "arm64"} {
		image := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}})
		report, err := inspect.Read(context.Background(), image.Object(name.WithTag(arch)))
		if err != nil {
			panic(err)
		}
		sources = append(sources, compose.Source{Ref: name.WithTag(arch), Report: report})
	}
	entries, _, err := compose.FromReports(sources, compose.SelectOptions{})
	if err != nil {
		panic(err)
	}
	list, _, err := compose.List{Name: name}.Add(entries, compose.AddOptions{})
	if err != nil {
		panic(err)
	}
	plan, err := compose.NewPlan(list, []registry.Ref{name})
	if err != nil {
		panic(err)
	}
	for _, p := range list.Platforms() {
		fmt.Println(platform.Format(p))
	}
	fmt.Println("tag:", plan.Uploads[0].Tags[0].Name)
	// Output:
	// linux/amd64
	// linux/arm64
	// tag: v1
}
