package registrytest_test

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
)

func newEndpoint(t *testing.T, host string) registrytest.Endpoint {
	t.Helper()
	ref, err := registry.ParseRef(host + "/suite/" + strings.ToLower(rand.Text()))
	if err != nil {
		t.Fatal(err)
	}
	r := remote.NewClient(remote.Options{Pause: time.Millisecond}).Repository(ref, remote.PullPush)
	return registrytest.Endpoint{
		Target: r, Source: r,
		Resolve: func(ctx context.Context, tag string) (registry.Manifest, error) {
			return r.Resolve(ctx, ref.WithTag(tag))
		},
	}
}

func TestSuiteWithServer(t *testing.T) {
	t.Parallel()
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint {
		return newEndpoint(t, registrytest.New(t, registrytest.Options{}).Host())
	})
}

func TestSuiteWithRealRegistry(t *testing.T) {
	t.Parallel()
	host := os.Getenv("MTOOL_TEST_REGISTRY")
	if host == "" {
		if strings.Contains(os.Getenv("MTOOL_TEST_REQUIRE"), "registry") {
			t.Fatal("MTOOL_TEST_REGISTRY is not set, and MTOOL_TEST_REQUIRE names registry")
		}
		t.Skip("MTOOL_TEST_REGISTRY is not set")
	}
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint { return newEndpoint(t, host) })
}

func TestMemorySource(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(registrytest.ImageSpec{Padding: 10})
	d := b.Order[0]
	d.Size++
	if _, err := b.Source().Blob(t.Context(), d); err == nil {
		t.Error("a wrong size was accepted")
	}
	if _, err := b.Without(d.Digest).Source().Blob(t.Context(), b.Order[0]); err == nil {
		t.Error("a missing blob was found")
	}
}
