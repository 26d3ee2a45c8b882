package serve_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
	"mtool/registry/serve"
	"mtool/registry/store"
)

// TestSuite writes to the store and reads from the registry.
func TestSuite(t *testing.T) {
	t.Parallel()
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint {
		s := store.Open(t.TempDir() + "/store")
		w := s.Writer(parse(t, "store:demo:v1"))
		t.Cleanup(func() { _ = w.Close() })
		ref := parse(t, start(t, s, serve.Options{})+"/demo")
		repository := remote.NewClient(remote.Options{}).Repository(ref, remote.Pull)
		return registrytest.Endpoint{
			Target: namingWriter{w}, Source: repository,
			Resolve: func(ctx context.Context, tag string) (registry.Manifest, error) {
				return repository.Resolve(ctx, ref.WithTag(tag))
			},
		}
	})
}

// namingWriter names manifests that are put by digest, since the store gives no access to content without a name.
type namingWriter struct{ *store.Writer }

func (n namingWriter) PutManifest(ctx context.Context, m registry.Manifest) error {
	return n.PutTag(ctx, "", m)
}

// start serves s and returns the host.
func start(t *testing.T, s *store.Store, o serve.Options) string {
	t.Helper()
	server := httptest.NewServer(serve.New(s, o))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func parse(t *testing.T, name string) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef(name)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
