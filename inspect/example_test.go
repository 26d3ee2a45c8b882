package inspect_test

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// Example checks a list in which one row claims another platform than its image's config.
func Example() {
	amd64, arm64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}
	server, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Load("demo", "v1", registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: registrytest.Image(registrytest.ImageSpec{Platform: amd64})},
		{Built: registrytest.Image(registrytest.ImageSpec{Platform: amd64, Seed: "other"}), Claim: &arm64},
	}}))

	report, err := readTree(context.Background(), server.Host()+"/demo:v1")
	if err != nil {
		fmt.Println(err)
		return
	}
	findings := inspect.Check(report, inspect.CheckOptions{Require: []v1.Platform{amd64, arm64}})
	for _, f := range findings {
		fmt.Println(f.Platform, f.State)
	}
	fmt.Println(inspect.Failed(findings) != nil)
	// Output:
	// linux/amd64 claims-ok
	// linux/arm64 mismatch
	// true
}

// readTree fetches the tree under a name in a registry. The package source opens names of any transport.
func readTree(ctx context.Context, name string) (inspect.Report, error) {
	ref, err := registry.ParseRef(name)
	if err != nil {
		return inspect.Report{}, err
	}
	repository := remote.NewClient(remote.Options{}).Repository(ref, remote.Pull)
	root, err := repository.Resolve(ctx, ref)
	if err != nil {
		return inspect.Report{}, err
	}
	return inspect.Read(ctx, registry.Object{Ref: ref, Root: root, Source: repository})
}
