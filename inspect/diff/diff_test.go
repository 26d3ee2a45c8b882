package diff_test

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/diff"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// image returns an image for an architecture, with changes.
func image(arch string, changes ...func(*registrytest.ImageSpec)) registrytest.Entry {
	spec := registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}, SharedLayer: "same"}
	for _, change := range changes {
		change(&spec)
	}
	return registrytest.Entry{Built: registrytest.Image(spec)}
}

func read(t *testing.T, spec registrytest.ListSpec) inspect.Report {
	t.Helper()
	name := registry.Ref{Transport: registry.TransportRegistry, Host: "127.0.0.1:5000", Repo: "demo", Tag: "v1"}
	r, err := inspect.Read(t.Context(), registrytest.List(spec).Object(name))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines returns the differences, one line for each detail.
func lines(d diff.Result) (all []string) {
	for _, detail := range d.List {
		all = append(all, "list: "+detail.What)
	}
	for _, p := range d.Platforms {
		at := p.Platform.Architecture + " " + string(p.State)
		if p.State != diff.Same {
			all = append(all, at)
		}
		for _, detail := range p.Details {
			all = append(all, at+": "+detail.What)
		}
	}
	return all
}

func TestCompare(t *testing.T) {
	t.Parallel()
	base := func() registrytest.ListSpec {
		return registrytest.ListSpec{Entries: []registrytest.Entry{image("amd64"), image("arm64")}}
	}
	for name, c := range map[string]struct {
		change func(*registrytest.ListSpec)
		want   []string
	}{
		"nothing":                  {func(*registrytest.ListSpec) {}, nil},
		"another order of entries": {func(l *registrytest.ListSpec) { slices.Reverse(l.Entries) }, nil},
		"added": {func(l *registrytest.ListSpec) {
			l.Entries = append(l.Entries, image("s390x"))
		}, []string{"s390x added"}},
		"removed": {func(l *registrytest.ListSpec) { l.Entries = l.Entries[:1] }, []string{"arm64 removed"}},
		"annotation of the list": {
			func(l *registrytest.ListSpec) { l.Annotations = map[string]string{"k": "v"} }, []string{"list: annotation k"},
		},
		"annotation of an entry": {
			func(l *registrytest.ListSpec) { l.Entries[1].Annotations = map[string]string{"k": "v"} },
			[]string{"arm64 changed", "arm64 changed: entry annotation k"},
		},
		"media type of the list": {func(l *registrytest.ListSpec) { l.Docker = true }, []string{"list: media type"}},
		"label": {
			func(l *registrytest.ListSpec) {
				l.Entries[0] = image("amd64", func(s *registrytest.ImageSpec) { s.Labels = map[string]string{"k": "v"} })
			},
			[]string{"amd64 changed", "amd64 changed: config.Labels"},
		},
		"layer": {
			func(l *registrytest.ListSpec) {
				l.Entries[0] = image("amd64", func(s *registrytest.ImageSpec) { s.SharedLayer = "other" })
			},
			[]string{"amd64 changed", "amd64 changed: layer", "amd64 changed: layer"},
		},
		"row's spelling": {
			func(l *registrytest.ListSpec) {
				l.Entries[1].Claim = &v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
			},
			[]string{"arm64 changed", "arm64 changed: platform"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := base()
			c.change(&other)
			d, err := diff.Compare(read(t, base()), read(t, other))
			if got := lines(d); err != nil || !slices.Equal(got, c.want) || d.Same() != (c.want == nil) {
				t.Errorf("got %q, %v, same: %t, want %q", strings.Join(got, "; "), err, d.Same(), c.want)
			}
		})
	}
}

// Two lists are not the same if an image could not be read.
func TestCompareUnread(t *testing.T) {
	t.Parallel()
	there, missing := image("amd64"), image("amd64", func(s *registrytest.ImageSpec) { s.Seed = "other" })
	missing.Missing = true
	list := func(e registrytest.Entry) registrytest.ListSpec {
		return registrytest.ListSpec{Entries: []registrytest.Entry{e}}
	}
	if d, err := diff.Compare(read(t, list(there)), read(t, list(missing))); err == nil {
		t.Errorf("got %q, want an error", lines(d))
	}
}
