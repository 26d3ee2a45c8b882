package registry_test

import (
	"errors"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestTags(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{PageSize: 2})
	b := registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}})
	want := []string{"1.0.0", "1.0.1", "1.1", "2", "latest"}
	for _, tag := range want {
		s.Load("demo", tag, b)
	}
	c := registry.NewClient(registry.ClientOptions{})
	for repo, kind := range map[string]error{"demo": nil, "none": registry.ErrNotFound} {
		ref, err := registry.ParseRef(s.Host() + "/" + repo)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Repository(ref, registry.Pull).Tags(t.Context())
		if !errors.Is(err, kind) || kind == nil && !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v, want %q, %v", repo, got, err, want, kind)
		}
	}
}
