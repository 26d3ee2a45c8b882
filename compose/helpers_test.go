package compose_test

import (
	"encoding/json"
	"errors"
	"reflect"
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

func linux(arch, variant string) v1.Platform {
	return v1.Platform{OS: "linux", Architecture: arch, Variant: variant}
}

// image returns an honest OCI image for linux/ARCH or linux/ARCH/VARIANT.
func image(name string) registrytest.Built {
	arch, variant, _ := strings.Cut(name, "/")
	return registrytest.Image(registrytest.ImageSpec{Platform: linux(arch, variant)})
}

func dockerImage(arch string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: linux(arch, ""), Docker: true})
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

// entriesOf returns the entries of b, read as a source called name.
func entriesOf(t *testing.T, b registrytest.Built, name string) []compose.Entry {
	t.Helper()
	entries, _, err := compose.FromReports([]compose.Source{sourceOf(t, b, name)}, compose.SelectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return entries
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

// equal compares deeply, errors included: in these tests they are nil or the same value.
func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

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

func wantHint(t *testing.T, err error, words string) {
	t.Helper()
	var h registry.Hinter
	if !errors.As(err, &h) || !strings.Contains(h.Hint(), words) {
		t.Errorf("error %v has no hint with %q", err, words)
	}
}

func actions(cs []compose.Change) string {
	var all []string
	for _, c := range cs {
		all = append(all, string(c.Action))
	}
	return strings.Join(all, " ")
}

func manifest(t *testing.T, body string) registry.Manifest {
	t.Helper()
	m, err := registry.NewManifest("", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// published reads a list with the given body and the children of b.
func published(t *testing.T, b registrytest.Built, body, name string) inspect.Report {
	t.Helper()
	obj := b.Object(ref(t, name))
	obj.Root = manifest(t, body)
	r, err := inspect.Read(t.Context(), obj)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rows(t *testing.T, m registry.Manifest) []v1.Descriptor {
	t.Helper()
	var l struct{ Manifests []v1.Descriptor }
	if err := json.Unmarshal(m.Body, &l); err != nil {
		t.Fatal(err)
	}
	return l.Manifests
}
