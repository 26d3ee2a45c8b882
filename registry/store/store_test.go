package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

func image(p v1.Platform, seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: p, Seed: seed})
}

// put writes b under a name with a transport.
func put(t *testing.T, s *store.Store, name string, b registrytest.Built) {
	t.Helper()
	ref := parse(t, name)
	w := s.Writer(ref)
	if err := b.Push(t.Context(), w, ref.Tag); err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
}

// blobs returns the names of the store's blob files.
func blobs(t *testing.T, s *store.Store) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Dir(), "blobs", "sha256"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// temps returns the temporary files of the store.
func temps(t *testing.T, s *store.Store) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.Dir(), ".mtool", "blob-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestReadingCreatesNothing(t *testing.T) {
	t.Parallel()
	s := store.Open(filepath.Join(t.TempDir(), "store"))
	if _, err := s.Get(t.Context(), parse(t, "store:demo:v1")); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("getting from a missing store: %v", err)
	}
	if err := s.Remove(t.Context(), parse(t, "store:demo:v1")); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("removing from a missing store: %v", err)
	}
	if images, err := s.List(t.Context()); err != nil || len(images) != 0 {
		t.Errorf("listing a missing store: %v, %v", images, err)
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading created the directory: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	one, two := image(amd64, "1"), image(arm64, "2")
	put(t, s, "store:demo:v1", one)
	put(t, s, "store:localhost:5000/ns/demo:v1", two)
	put(t, s, "store:demo:v2", one)

	images, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range images {
		names = append(names, i.Ref.String()+" "+i.Descriptor.Digest.String())
	}
	want := []string{
		"store:docker.io/library/demo:v1 " + one.Digest().String(),
		"store:docker.io/library/demo:v2 " + one.Digest().String(),
		"store:localhost:5000/ns/demo:v1 " + two.Digest().String(),
	}
	if !slices.Equal(names, want) {
		t.Errorf("list:\n%s\nwant:\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	for name, want := range map[string]v1.Hash{
		"demo:v1":                                  one.Digest(),
		"docker.io/library/demo:v1":                one.Digest(),
		"demo@" + two.Digest().String():            two.Digest(),
		"localhost:5000/ns/demo:v1":                two.Digest(),
		"store:demo:gone@" + one.Digest().String(): one.Digest(),
	} {
		o, err := s.Get(t.Context(), parse(t, name))
		if err != nil || o.Root.Digest != want || o.Ref.Transport != registry.TransportStore {
			t.Errorf("getting %q: %s in %s, %v; want %s", name, o.Root.Digest, o.Ref, err, want)
		}
	}
	for _, name := range []string{"demo", "demo:v3", "ns/demo:v1", "demo@" + registrytest.Hash(nil).String()} {
		if _, err := s.Get(t.Context(), parse(t, name)); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("getting %q: %v, want ErrNotFound", name, err)
		}
	}
}

func TestTagMovesAndIsIdempotent(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	one, two := image(amd64, "1"), image(amd64, "2")
	put(t, s, "store:demo:v1", one)
	put(t, s, "store:demo:v2", two)
	index := func() string {
		data, err := os.ReadFile(filepath.Join(s.Dir(), "index.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := index()
	if err := s.Tag(t.Context(), parse(t, "store:demo:v2"), two.Manifest); err != nil || index() != before {
		t.Errorf("the same tag again: %v\n%s\n%s", err, before, index())
	}
	if err := s.Tag(t.Context(), parse(t, "store:demo:v1"), two.Manifest); err != nil {
		t.Fatal(err)
	}
	if o, err := s.Get(t.Context(), parse(t, "demo:v1")); err != nil || o.Root.Digest != two.Digest() {
		t.Errorf("the moved tag: %s, %v", o.Root.Digest, err)
	}
	if n := strings.Count(index(), `"org.opencontainers.image.ref.name"`); n != 2 {
		t.Errorf("%d names in %s, want 2", n, index())
	}
}

func TestRemoveKeepsShared(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	a, b := image(amd64, "a"), image(arm64, "b")
	put(t, s, "store:demo:v1-amd64", a)
	put(t, s, "store:demo:v1-arm64", b)
	before := blobs(t, s)
	put(t, s, "store:demo:v1", registrytest.ListOf(a, b))

	remove := func(name string) {
		t.Helper()
		if err := s.Remove(t.Context(), parse(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	remove("demo:v1-amd64") // the list needs it
	if len(blobs(t, s)) != len(before)+1 {
		t.Errorf("%d blobs after removing a name whose content is needed, want %d", len(blobs(t, s)), len(before)+1)
	}
	remove("demo:v1") // the other image keeps its blobs
	if got := len(blobs(t, s)); got != len(before)/2 {
		t.Errorf("%d blobs are left, want %d", got, len(before)/2)
	}
	remove("demo@" + b.Digest().String())
	if got := blobs(t, s); len(got) != 0 {
		t.Errorf("blobs left in an empty store: %v", got)
	}
	if err := s.Remove(t.Context(), parse(t, "demo:v1")); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("removing twice: %v", err)
	}
}

func TestUnknownMembersOfIndex(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	put(t, s, "store:demo:v1", image(amd64, "1"))
	file := filepath.Join(s.Dir(), "index.json")
	edit := func(change func(m map[string]any)) {
		var m map[string]any
		data, _ := os.ReadFile(file)
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		data, _ = json.Marshal(m)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit(func(m map[string]any) {
		m["annotations"] = map[string]string{"kept": "1"}
		m["manifests"].([]any)[0].(map[string]any)["x-kept"] = 2
	})
	put(t, s, "store:demo:v2", image(amd64, "2"))
	edit(func(m map[string]any) {
		row := m["manifests"].([]any)[0].(map[string]any)
		if fmt.Sprint(m["annotations"]) != "map[kept:1]" || fmt.Sprint(row["x-kept"]) != "2" {
			t.Errorf("unknown members were lost: %v", m)
		}
	})
}
