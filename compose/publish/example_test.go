package publish_test

import (
	"context"
	"fmt"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

// merge composes a list of the images, verifies their claims and pushes the list.
func merge(ctx context.Context, client *remote.Client, to registry.Ref, images ...registry.Ref) (publish.Done, error) {
	publisher := publish.Publisher{Client: client}
	var sources []compose.Source
	for _, image := range images {
		_, report, err := publisher.Read(ctx, image)
		if err != nil {
			return publish.Done{}, err
		}
		sources = append(sources, compose.Source{Ref: image, Report: report})
	}
	entries, _, err := compose.FromReports(sources, compose.SelectOptions{})
	if err != nil {
		return publish.Done{}, err
	}
	list, _, err := compose.List{Name: to}.Add(entries, compose.AddOptions{})
	if err != nil {
		return publish.Done{}, err
	}
	plan, err := compose.NewPlan(list, []registry.Ref{to})
	if err != nil {
		return publish.Done{}, err
	}
	return publisher.Publish(ctx, plan, publish.Options{Require: both})
}

var both = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

// Example pushes a verified list of two images.
func Example() {
	server, err := registrytest.Start(registrytest.Options{})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	var images []registry.Ref
	for _, p := range both {
		server.Load("demo", p.Architecture, registrytest.Image(registrytest.ImageSpec{Platform: p}))
		images = append(images, parse(server.Host()+"/demo:"+p.Architecture))
	}
	done, err := merge(context.Background(), remote.NewClient(remote.Options{}),
		parse(server.Host()+"/demo:v1"), images...)
	fmt.Println(done.Targets[0].State, err)
	// Output: written <nil>
}

func parse(name string) registry.Ref {
	ref, err := registry.ParseRef(name)
	if err != nil {
		panic(err)
	}
	return ref
}

// A list is not pushed when an image contradicts its row, or when a required platform is missing.
func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	server := registrytest.New(t, registrytest.Options{})
	server.Load("demo", "amd64", image("amd64"))
	server.Load("demo", "lying",
		registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("s390x"), Claim: &both[1]}}}))
	client := remote.NewClient(remote.Options{})
	at := func(tag string) registry.Ref { return ref(t, server.Host()+"/demo:"+tag) }
	for _, images := range [][]registry.Ref{{at("amd64")}, {at("amd64"), at("lying")}} {
		if _, err := merge(t.Context(), client, at("v1"), images...); err == nil {
			t.Errorf("%v was pushed", images)
		}
	}
	if digest, ok := server.Tag("demo", "v1"); ok {
		t.Errorf("the tag was written: %s", digest)
	}
}
