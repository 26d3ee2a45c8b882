package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

// export writes b as a layout like BuildKit's exporter, and returns its directory.
func export(t *testing.T, b registrytest.Built) string {
	t.Helper()
	dir := t.TempDir()
	w := store.OpenLayout(dir).Writer()
	if err := b.Push(t.Context(), w, "x"); err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
	return dir
}

func TestImportLayout(t *testing.T) {
	t.Parallel()
	b := registrytest.List(registrytest.ListSpec{
		Attested: true,
		Entries:  []registrytest.Entry{{Built: image(amd64, "1")}, {Built: image(arm64, "1")}},
	})
	s := store.Open(t.TempDir())
	dir := export(t, b)
	if err := s.ImportLayout(t.Context(), dir, b.Manifest.Descriptor(), parse(t, "demo:v1")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	o, err := s.Get(t.Context(), parse(t, "demo:v1"))
	if err != nil || o.Root.Digest != b.Digest() {
		t.Fatalf("%s, %v", o.Root.Digest, err)
	}
	if err := pushFrom(t, o.Source, b, store.OpenLayout(t.TempDir()).Writer()); err == nil {
		t.Error("a list was written without its children")
	}
	for _, m := range b.Manifests {
		if _, err := o.Source.Manifest(t.Context(), m.Descriptor()); err != nil {
			t.Error(err)
		}
	}
	if got, want := len(blobs(t, s)), len(b.Order)+len(b.Manifests); got != want {
		t.Errorf("%d blobs, want %d", got, want)
	}
}

func TestImportDamagedLayout(t *testing.T) {
	t.Parallel()
	b := registrytest.ListOf(image(amd64, "1"), image(arm64, "1"))
	last := b.Order[len(b.Order)-1].Digest
	for name, tt := range map[string]struct {
		damage func(file string) error
		kind   error
	}{
		"flipped": {
			func(f string) error { return os.WriteFile(f, make([]byte, b.Order[len(b.Order)-1].Size), 0o600) },
			registry.ErrContent,
		},
		"short":   {func(f string) error { return os.Truncate(f, 10) }, registry.ErrContent},
		"missing": {os.Remove, registry.ErrNotFound},
	} {
		s, dir := store.Open(t.TempDir()), export(t, b)
		if err := tt.damage(filepath.Join(dir, "blobs", "sha256", last.Hex)); err != nil {
			t.Fatal(err)
		}
		err := s.ImportLayout(t.Context(), dir, b.Manifest.Descriptor(), parse(t, "demo:v1"))
		if !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v, want %v", name, err, tt.kind)
		}
		if _, err := s.Get(t.Context(), parse(t, "demo:v1")); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: got %v, want no name", name, err)
		}
		if got := blobs(t, s); len(got) != 0 {
			t.Errorf("%s: blobs left: %v", name, got)
		}
	}
}
