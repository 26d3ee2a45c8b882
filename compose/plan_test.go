package compose_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func refs(t *testing.T, names ...string) []registry.Ref {
	t.Helper()
	var all []registry.Ref
	for _, n := range names {
		all = append(all, ref(t, n))
	}
	return all
}

// sketch returns an upload in one line: "host/repo [tags] mounts+copies blobs, children".
func sketch(u compose.Upload) string {
	var tags []string
	for _, tag := range u.Tags {
		tags = append(tags, tag.Name)
	}
	n := u.Totals()
	return fmt.Sprintf("%s %v %d+%d blobs, %d children", u.Repository, tags, n.Mounts, n.Copies, n.Children)
}

func TestNewPlan(t *testing.T) {
	t.Parallel()
	l := list(t, "demo:v1",
		sourceOf(t, image("amd64"), "r.example/amd:v1"),
		sourceOf(t, attested(image("arm64")), "r.example/arm:v1"),
		sourceOf(t, image("s390x"), "store:demo:s390x"))
	tests := []struct {
		name    string
		targets []string
		want    string
	}{
		{"another registry", []string{"other.example/demo:v1"}, "other.example/demo [v1] 0+8 blobs, 4 children"},
		{"another repository", []string{"r.example/demo:v1"}, "r.example/demo [v1] 6+2 blobs, 4 children"},
		{"the repository of a source", []string{"r.example/arm:v1"}, "r.example/arm [v1] 2+2 blobs, 2 children"},
		{
			"several tags",
			[]string{"r.example/amd:v1", "r.example/amd:latest", "r.example/amd:v1"},
			"r.example/amd [v1 latest] 4+2 blobs, 3 children",
		},
		{
			"several registries",
			[]string{"r.example/amd:v1", "s.example/amd:v1"},
			"r.example/amd [v1] 4+2 blobs, 3 children; s.example/amd [v1] 0+8 blobs, 4 children",
		},
		{"by digest", []string{"r.example/demo@" + encode(t, l).Digest.String()}, "r.example/demo [] 6+2 blobs, 4 children"},
		{"a layout", []string{"oci:dir:v1"}, "oci:dir [v1] 0+8 blobs, 4 children"},
		{"a layout without a name", []string{"oci:dir"}, "oci:dir [] 0+8 blobs, 4 children"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := compose.NewPlan(l, refs(t, tt.targets...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range p.Uploads {
				got = append(got, sketch(u))
			}
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestNewPlanRefuses(t *testing.T) {
	t.Parallel()
	l := two(t, "demo:v1")
	wrong := "r.example/demo@sha256:" + strings.Repeat("12", 32)
	tests := []struct {
		name    string
		list    compose.List
		targets []string
		err     error
		words   string
	}{
		{"no target", l, nil, registry.ErrUsage, "no target"},
		{"another digest", l, []string{wrong}, compose.ErrTarget, encode(t, l).Digest.String()},
		{"another digest among others", l, []string{"r.example/demo:v1", wrong}, compose.ErrTarget, wrong},
		{"a draft", l, []string{"draft:demo:v1"}, compose.ErrTarget, "draft"},
		{"a Docker archive", l, []string{"docker-archive:x.tar"}, compose.ErrTarget, "docker-archive"},
		{"not resolved", stored(l), []string{"r.example/demo:v1"}, registry.ErrNotFound, "linux/amd64"},
		{"empty", compose.List{Name: l.Name}, []string{"r.example/demo:v1"}, compose.ErrEmpty, "demo:v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := compose.NewPlan(tt.list, refs(t, tt.targets...))
			wantError(t, err, tt.err, tt.words)
		})
	}
}

func TestPlanSharesAndSkipsBlobs(t *testing.T) {
	t.Parallel()
	shared := func(arch string) registrytest.Built {
		return registrytest.Image(registrytest.ImageSpec{Platform: linux(arch, ""), SharedLayer: "base", Binary: "amd64"})
	}
	l := list(t, "demo:v1", sourceOf(t, shared("amd64"), "store:demo:amd"), sourceOf(t, shared("arm64"), "r.example/arm:v1"))
	p, err := compose.NewPlan(l, refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sketch(p.Uploads[0]), "r.example/demo [v1] 2+1 blobs, 2 children"; got != want {
		t.Errorf("got %q, want %q: the shared layer mounted, once", got, want)
	}

	foreign := l.Entries[0]
	img := *foreign.Image
	img.Layers = []v1.Descriptor{{
		MediaType: types.DockerForeignLayer, Digest: img.Layers[0].Digest,
		URLs: []string{"https://x"},
	}}
	foreign.Image = &img
	p, err = compose.NewPlan(compose.List{Name: l.Name, Entries: []compose.Entry{foreign}}, refs(t, "r.example/demo:v1"))
	if err != nil || len(p.Uploads[0].Blobs) != 1 {
		t.Errorf("got %d blobs, %v, want only the config: a foreign layer is not uploaded", len(p.Uploads[0].Blobs), err)
	}
}

func TestPlanOf(t *testing.T) {
	t.Parallel()
	inner := registrytest.ListOf(image("arm64"))
	nested := registrytest.ListOf(image("amd64"), registrytest.ListOf(inner), inner)
	p, err := compose.PlanOf(read(t, nested, "store:demo:v1"), refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sketch(p.Uploads[0]), "r.example/demo [v1] 0+4 blobs, 4 children"; got != want ||
		p.Root.Digest != nested.Digest() {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		target, want string
		source       registrytest.Built
	}{
		{"r.example/demo:v1", "r.example/demo [v1] 0+2 blobs, 0 children", image("amd64")},
		{"s.example/demo:v2", "s.example/demo [v2] 0+0 blobs, 0 children", image("amd64")},
	} {
		name := "store:demo:v1"
		if strings.HasPrefix(tt.target, "s.") {
			name = "s.example/demo:v1"
		}
		p, err := compose.PlanOf(read(t, tt.source, name), refs(t, tt.target))
		if err != nil || sketch(p.Uploads[0]) != tt.want {
			t.Errorf("got %q, %v, want %q", sketch(p.Uploads[0]), err, tt.want)
		}
	}
	broken := registrytest.List(
		registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image("amd64")}, {Built: image("arm64"), Missing: true}}})
	_, err = compose.PlanOf(read(t, broken, "store:demo:v1"), refs(t, "r.example/demo:v1"))
	wantError(t, err, registry.ErrNotFound, "linux/arm64")
}

func TestPlanGuardsItsBase(t *testing.T) {
	t.Parallel()
	b := registrytest.ListOf(image("amd64"), image("arm64"))
	l, _, err := compose.FromPublished(read(t, b, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := compose.NewPlan(l, refs(t, "r.example/demo:v1", "r.example/demo:v2", "s.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	got := []v1.Hash{p.Uploads[0].Tags[0].Base, p.Uploads[0].Tags[1].Base, p.Uploads[1].Tags[0].Base}
	if want := []v1.Hash{b.Digest(), {}, {}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got bases %v, want a base for the list's own tag only", got)
	}
}

func TestPlanOfKeepsAttestations(t *testing.T) {
	t.Parallel()
	b := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{
		{Built: attested(image("amd64"))}, registrytest.Attestation(image("s390x").Manifest),
	}})
	p, err := compose.PlanOf(read(t, b, "store:demo:v1"), refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sketch(p.Uploads[0]), "r.example/demo [v1] 0+6 blobs, 4 children"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
