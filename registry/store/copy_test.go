package store_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

// addContent adds the blobs of an object's manifest to b.
func addContent(t *testing.T, o registry.Object, b *registrytest.Built) {
	t.Helper()
	var m v1.Manifest
	if err := json.Unmarshal(o.Root.Body, &m); err != nil {
		t.Fatal(err)
	}
	b.Order = append(m.Layers, m.Config)
}

// pushFrom copies b, whose blobs are read from src, to target.
func pushFrom(t *testing.T, src registry.Source, b registrytest.Built, target registry.Target) error {
	t.Helper()
	for _, d := range b.Order {
		if _, err := target.PutBlob(t.Context(), d, src); err != nil {
			return err
		}
	}
	return target.PutTag(t.Context(), "v1", b.Manifest)
}

// lockFile holds a lock of the store until the end of the test.
func lockFile(t *testing.T, s *store.Store, lock string) {
	t.Helper()
	f := flock.New(filepath.Join(s.Dir(), ".mtool", lock))
	if ok, err := f.TryLock(); err != nil || !ok {
		t.Fatalf("locking %s: %t %v", lock, ok, err)
	}
	t.Cleanup(func() { _ = f.Close() })
}
