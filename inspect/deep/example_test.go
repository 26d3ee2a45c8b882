package deep_test

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// Example checks the programs of an image whose config says arm64 and whose program is for amd64.
func Example() {
	server, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Load("liar", "v1", registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"}, Binary: "amd64",
	}))

	ctx := context.Background()
	ref, err := registry.ParseRef(server.Host() + "/liar:v1")
	if err != nil {
		fmt.Println(err)
		return
	}
	repository := remote.NewClient(remote.Options{}).Repository(ref, remote.Pull)
	root, err := repository.Resolve(ctx, ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := inspect.Read(ctx, registry.Object{Ref: ref, Root: root, Source: repository})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := deep.Inspect(ctx, report, deep.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range result.Over(inspect.Check(report, inspect.CheckOptions{})) {
		fmt.Printf("%s %s: %s\n", f.Platform, f.State, f.Evidence)
	}
	// Output:
	// linux/arm64 mismatch: 1 fault
	// linux/arm64 mismatch: ELF executable for amd64
}
