package publish_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func ref(t *testing.T, s string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func refs(t *testing.T, names ...string) []registry.Ref {
	t.Helper()
	var all []registry.Ref
	for _, n := range names {
		all = append(all, ref(t, n))
	}
	return all
}

// image returns an honest OCI image for linux/ARCH.
func image(arch string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}})
}

// attested returns a list of the images with BuildKit's attestations.
func attested(images ...registrytest.Built) registrytest.Built {
	s := registrytest.ListSpec{Attested: true}
	for _, b := range images {
		s.Entries = append(s.Entries, registrytest.Entry{Built: b})
	}
	return registrytest.List(s)
}

func read(t *testing.T, b registrytest.Built, name string) inspect.Report {
	t.Helper()
	r, err := inspect.Read(t.Context(), b.Object(ref(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sourceOf(t *testing.T, b registrytest.Built, name string) compose.Source {
	t.Helper()
	return compose.Source{Ref: ref(t, name), Report: read(t, b, name)}
}

// list returns a list called name with the entries of the sources.
func list(t *testing.T, name string, sources ...compose.Source) compose.List {
	t.Helper()
	entries, _, err := compose.FromReports(sources, compose.SelectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := compose.List{Name: ref(t, name)}.Add(entries, compose.AddOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// two returns a list of two images from two repositories of one registry.
func two(t *testing.T, name string) compose.List {
	t.Helper()
	return list(t, name, sourceOf(t, image("amd64"), "r.example/amd:v1"), sourceOf(t, image("arm64"), "r.example/arm:v1"))
}

func plan(t *testing.T, l compose.List, targets ...string) compose.Plan {
	t.Helper()
	p, err := compose.NewPlan(l, refs(t, targets...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t *testing.T, l compose.List) registry.Manifest {
	t.Helper()
	m, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wantError checks the kind of err, and that its text contains all words.
func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %q", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not contain %q", err, w)
		}
	}
}

func rows(t *testing.T, m registry.Manifest) []v1.Descriptor {
	t.Helper()
	var l struct{ Manifests []v1.Descriptor }
	if err := json.Unmarshal(m.Body, &l); err != nil {
		t.Fatal(err)
	}
	return l.Manifests
}

func platforms(archs ...string) []v1.Platform {
	var all []v1.Platform
	for _, a := range archs {
		all = append(all, v1.Platform{OS: "linux", Architecture: a})
	}
	return all
}
