package remote_test

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// Example adds a tag to a list. The registry of this example is a test server.
func Example() {
	server, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	server.Load("demo", "v1", registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "arm64"}})},
	}}))

	tags, err := retag(context.Background(), server.Host()+"/demo:v1", "latest")
	fmt.Println(tags, err, len(server.Requests()), "requests")
	// Output: [latest v1] <nil> 3 requests
}

func retag(ctx context.Context, name, tag string) ([]string, error) {
	ref, err := registry.ParseRef(name)
	if err != nil {
		return nil, err
	}
	client := remote.NewClient(remote.Options{}) // no credentials; loopback hosts are plain HTTP
	defer client.Close()
	repository := client.Repository(ref, remote.PullPush)
	list, err := repository.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := repository.PutTag(ctx, tag, list); err != nil {
		return nil, err
	}
	return repository.Tags(ctx)
}
