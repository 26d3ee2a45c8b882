package store_test

import (
	"context"
	"testing"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

func TestSuiteWithStore(t *testing.T) {
	t.Parallel()
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint {
		s, ref := store.Open(t.TempDir()+"/store"), parse(t, "store:demo:v1")
		w := s.Writer(ref)
		t.Cleanup(func() { closeWriter(t, w) })
		layout := store.OpenLayout(s.Dir())
		return registrytest.Endpoint{
			Target: w, Source: layout,
			Resolve: func(ctx context.Context, tag string) (registry.Manifest, error) {
				o, err := s.Get(ctx, ref.WithTag(tag))
				return o.Root, err
			},
		}
	})
}

func closeWriter(t *testing.T, w *store.Writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func parse(t *testing.T, s string) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
