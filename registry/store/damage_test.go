package store_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

func blobFile(s *store.Store, h v1.Hash) string {
	return filepath.Join(s.Dir(), "blobs", h.Algorithm, h.Hex)
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantError checks the kind of err, and that its text contains words.
func wantError(t *testing.T, err, kind error, words string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("got error %v, want %q with %q", err, kind, words)
	}
}

func TestDamagedBlobs(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	b := image(amd64, "1")
	put(t, s, "store:demo:v1", b)
	o, err := s.Get(t.Context(), parse(t, "demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	layer := b.Order[0]
	readLayer := func() error {
		rc, err := o.Source.Blob(t.Context(), layer)
		if err != nil {
			return err
		}
		defer func() { _ = rc.Close() }()
		_, err = io.Copy(io.Discard, rc)
		return err
	}
	good := b.Blobs[layer.Digest]
	flipped := bytes.Clone(good)
	flipped[3] ^= 1
	for _, bad := range [][]byte{good[:10], flipped, append(bytes.Clone(good), 0), {}} {
		write(t, blobFile(s, layer.Digest), bad)
		wantError(t, readLayer(), registry.ErrContent, blobFile(s, layer.Digest))
	}
	// A blob of the wrong size is repaired by its next writer.
	write(t, blobFile(s, layer.Digest), good[:10])
	put(t, s, "store:demo:v1", b)
	if err := readLayer(); err != nil {
		t.Errorf("the layer after a second push: %v", err)
	}
	write(t, blobFile(s, b.Digest()), []byte("{}"))
	_, err = s.Get(t.Context(), parse(t, "demo:v1"))
	wantError(t, err, registry.ErrContent, blobFile(s, b.Digest()))
}

// A name without its manifest is damage and not a missing name, for which a lookup would go on to the registry.
func TestNameWithoutManifest(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	b := image(amd64, "1")
	put(t, s, "store:demo:v1", b)
	if err := os.Remove(blobFile(s, b.Digest())); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), parse(t, "demo:v1"))
	wantError(t, err, registry.ErrContent, b.Digest().Hex)
	if errors.Is(err, registry.ErrNotFound) {
		t.Errorf("got %v, want no ErrNotFound", err)
	}
	if err := s.Remove(t.Context(), parse(t, "demo:v1")); err != nil {
		t.Errorf("removing a damaged image: %v", err)
	}
}

func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "garbage", "[]", "{}", `{"manifests": {}}`, `{"manifests": [{"digest": 1}]}`} {
		s := store.Open(t.TempDir())
		b := image(amd64, "1")
		put(t, s, "store:demo:v1", b)
		file := filepath.Join(s.Dir(), "index.json")
		write(t, file, []byte(data))
		_, get := s.Get(t.Context(), parse(t, "demo:v1"))
		_, list := s.List(t.Context())
		tag := s.Tag(t.Context(), parse(t, "store:demo:v2"), b.Manifest)
		for _, err := range []error{get, list, tag, s.Remove(t.Context(), parse(t, "demo:v1"))} {
			wantError(t, err, registry.ErrContent, file)
			var hinted registry.Hinter
			if !errors.As(err, &hinted) {
				t.Errorf("%v has no hint", err)
			}
		}
		if now, _ := os.ReadFile(file); string(now) != data {
			t.Errorf("the damaged file was overwritten with %s", now)
		}
	}
}

func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{"imageLayoutVersion": "2.0.0"}`, `{}`, `x`} {
		s := store.Open(t.TempDir())
		put(t, s, "store:demo:v1", image(amd64, "1"))
		file := filepath.Join(s.Dir(), "oci-layout")
		write(t, file, []byte(data))
		_, err := s.Get(t.Context(), parse(t, "demo:v1"))
		wantError(t, err, registry.ErrContent, file)
		wantError(t, s.Tag(t.Context(), parse(t, "store:demo:v2"), image(amd64, "1").Manifest), registry.ErrContent, file)
	}
}

func TestForeignDirectoryIsUnchanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "thesis.tex"), []byte("x"))
	w := store.OpenLayout(dir).Writer()
	err := image(amd64, "1").Push(t.Context(), w, "v1")
	wantError(t, err, registry.ErrContent, dir)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the directory has %d entries, want 1", len(entries))
	}
}

// An unreadable image may need any blob. So no blob is removed, and the error names the image.
func TestCollectStopsAtDamage(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	bad, good := registrytest.ListOf(image(amd64, "1")), image(arm64, "2")
	put(t, s, "store:bad:v1", bad)
	put(t, s, "store:good:v1", good)
	write(t, blobFile(s, bad.Digest()), []byte("garbage"))
	before := len(blobs(t, s))
	wantError(t, s.Remove(t.Context(), parse(t, "good:v1")), registry.ErrContent, "library/bad:v1")
	if got := len(blobs(t, s)); got != before {
		t.Errorf("%d of %d blobs are left", got, before)
	}
	if err := s.Remove(t.Context(), parse(t, "bad:v1")); err != nil {
		t.Errorf("removing the damaged image: %v", err)
	}
	if got := blobs(t, s); len(got) != 0 {
		t.Errorf("blobs left: %v", got)
	}
}

// An oversized index.json or oci-layout is not read into memory.
func TestOversizedFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.json", "oci-layout"} {
		s := store.Open(t.TempDir())
		put(t, s, "store:demo:v1", image(amd64, "1"))
		file := filepath.Join(s.Dir(), name)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, 1<<40); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(t.Context(), parse(t, "demo:v1"))
		wantError(t, err, registry.ErrContent, name)
	}
}
