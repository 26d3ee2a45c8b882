package compose_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestConvertRoundTrip(t *testing.T) {
	t.Parallel()
	for kind, b := range map[compose.Type]registrytest.Built{
		compose.TypeDocker: image("arm64"),
		compose.TypeOCI:    dockerImage("arm64"),
	} {
		l := list(t, "demo:v1", sourceOf(t, b, "r.example/demo:arm64"))
		converted, cs, err := l.Convert(kind, false)
		if err != nil || actions(cs) != "edited" {
			t.Fatalf("to %s: %v, %v", kind, cs, err)
		}
		e := converted.Entries[0]
		if e.Digest() == b.Digest() || e.OriginalDigest != b.Digest() || e.Image.Manifest.Digest != e.Digest() {
			t.Errorf("to %s: got %s, converted from %s", kind, e, e.OriginalDigest)
		}
		if body := string(e.Image.Manifest.Body); kind == compose.TypeOCI && strings.Contains(body, "docker") ||
			kind == compose.TypeDocker && strings.Contains(body, "oci") {
			t.Errorf("to %s: %s", kind, body)
		}
		original := compose.TypeOCI
		if kind == compose.TypeOCI {
			original = compose.TypeDocker
		}
		again, _, err := converted.Convert(original, false)
		if err != nil || again.Entries[0].Digest() != b.Digest() {
			t.Errorf("round trip: got %s, %v, want %s", again.Entries[0], err, b.Digest())
		}
	}
}

func TestConvertedChildIsUploaded(t *testing.T) {
	t.Parallel()
	l := list(t, "r.example/demo:v1", sourceOf(t, image("arm64"), "r.example/demo:arm64"))
	l, _, err := l.Convert(compose.TypeDocker, false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compose.NewPlan(l, refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if u := p.Uploads[0]; len(u.Children) != 1 || u.Children[0].Manifest.Digest != l.Entries[0].Digest() ||
		len(u.Blobs) != 0 {
		t.Errorf("got %d children and %d blobs, want the new manifest alone", len(u.Children), len(u.Blobs))
	}
}

func TestConvertRefuses(t *testing.T) {
	t.Parallel()
	att := list(t, "demo:v1", sourceOf(t, attested(image("arm64")), "r.example/demo:v1"))
	if _, _, err := att.Convert(compose.TypeDocker, true); !errors.Is(err, registry.ErrUsage) {
		t.Errorf("attestations kept: %v", err)
	}
	l, cs, err := att.Convert(compose.TypeDocker, false)
	if err != nil || len(l.Entries[0].Attestations) != 0 || !strings.Contains(cs[0].String(), "dropped: 1 attestation") {
		t.Errorf("got %v, %v", cs, err)
	}
	annotated, _, err := list(t, "demo:v1", sourceOf(t, image("arm64"), "r.example/demo:v1")).
		Annotate("linux/arm64", compose.Edit{Child: true, Annotations: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = annotated.Convert(compose.TypeDocker, false)
	wantError(t, err, registry.ErrUsage, "annotations")
	_, _, err = list(t, "demo:v1", sourceOf(t, dockerImage("arm64"), "r.example/demo:v1")).
		Annotate("linux/arm64", compose.Edit{Child: true, Annotations: map[string]string{"k": "v"}})
	wantError(t, err, registry.ErrUsage, "Docker image")
}

// withLayerType returns b with the media type of its layers changed.
func withLayerType(t *testing.T, b registrytest.Built, from, to types.MediaType) registrytest.Built {
	t.Helper()
	m, err := registry.NewManifest(b.Manifest.MediaType,
		bytes.ReplaceAll(b.Manifest.Body, []byte(`"`+from+`"`), []byte(`"`+to+`"`)))
	if err != nil || m.Digest == b.Digest() {
		t.Fatalf("%s: %v", m.Body, err)
	}
	b.Manifest, b.Manifests = m, []registry.Manifest{m}
	return b
}

// An image in one format may have layers with media types of the other. Only layers without an equivalent are refused.
func TestConvertMixtures(t *testing.T) {
	t.Parallel()
	mixed := withLayerType(t, image("arm64"), types.OCILayer, types.DockerLayer)
	l, cs, err := list(t, "demo:v1", sourceOf(t, mixed, "r.example/demo:v1")).Convert(compose.TypeOCI, false)
	if err != nil || actions(cs) != "edited" || l.Entries[0].Digest() != image("arm64").Digest() {
		t.Errorf("Docker layers in an OCI image: %v, %v", cs, err)
	}
	odd := withLayerType(t, image("arm64"), types.OCILayer, "application/vnd.example.layer")
	if l, cs, err = list(t, "demo:v1", sourceOf(t, odd, "r.example/demo:v1")).Convert(compose.TypeOCI, false); err != nil ||
		len(cs) > 0 {
		t.Errorf("layers of an unknown type: %v, %v, %v", l.Entries, cs, err)
	}
	zstd := withLayerType(t, image("arm64"), types.OCILayer, types.OCILayerZStd)
	_, _, err = list(t, "demo:v1", sourceOf(t, zstd, "r.example/demo:v1")).Convert(compose.TypeDocker, false)
	wantError(t, err, compose.ErrDockerLayers, "a layer in zstd")
	docker := withLayerType(t, dockerImage("arm64"), types.DockerLayer, "application/vnd.docker.image.rootfs.diff.tar.zstd")
	l, _, err = list(t, "demo:v1", sourceOf(t, docker, "r.example/demo:v1")).Convert(compose.TypeOCI, false)
	if err != nil || l.Entries[0].Digest() != zstd.Digest() {
		t.Errorf("zstd layers in a Docker image: %v", err)
	}
}

// A draft keeps the requested edits, and resolving it makes the same bytes from its source again.
func TestResolveRemakesChildren(t *testing.T) {
	t.Parallel()
	source := sourceOf(t, image("arm64"), "r.example/demo:arm64")
	l, _, err := list(t, "demo:v1", source).Convert(compose.TypeDocker, false)
	if err != nil {
		t.Fatal(err)
	}
	want := l.Entries[0].Digest()
	l.Entries[0].Image = nil
	got, err := l.Resolve(map[registry.Ref]inspect.Report{source.Ref: source.Report})
	if err != nil || got.Entries[0].Image.Manifest.Digest != want {
		t.Fatalf("got %v, %v", got.Entries, err)
	}
	l.Entries[0].Edits = nil // a draft that was tampered with
	_, err = l.Resolve(map[registry.Ref]inspect.Report{source.Ref: source.Report})
	wantError(t, err, registry.ErrContent, "again")
}

func TestParseTargeted(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, levels, platform, key, value, err string }{
		{"a=b", "index", "", "a", "b", ""},
		{"a=b=c,d", "index", "", "a", "b=c,d", ""},
		{"index:a=b", "index", "", "a", "b", ""},
		{"manifest-descriptor:a=b", "manifest-descriptor", "", "a", "b", ""},
		{"manifest-descriptor[linux/arm64]:a=b", "manifest-descriptor", "arm64", "a", "b", ""},
		{"manifest[windows/amd64:10.0.1]:a=b", "manifest", "amd64", "a", "b", ""},
		{"index,manifest-descriptor:a=b", "index manifest-descriptor", "", "a", "b", ""},
		{"other:a=b", "index", "", "other:a", "b", ""},
		{"a", "", "", "", "", "KEY=VALUE"},
		{"=b", "", "", "", "", "KEY=VALUE"},
		{"index:=b", "", "", "", "", "no key"},
		{"index-descriptor:a=b", "", "", "", "", "is not index, manifest-descriptor"},
		{"index[linux/arm64]:a=b", "", "", "", "", "no platform"},
		{"manifest-descriptor[linux/amd46]:a=b", "", "", "", "", "amd46"},
		{"manifest-descriptor[linux/amd64:a=b", "", "", "", "", "]:"},
	}
	for _, tt := range tests {
		got, err := compose.ParseTargeted(tt.in)
		if tt.err != "" {
			wantError(t, err, registry.ErrUsage, tt.err)
			continue
		}
		if err != nil || strings.Join(got.Levels, " ") != tt.levels || got.Platform.Architecture != tt.platform ||
			got.Key != tt.key || got.Value != tt.value {
			t.Errorf("%q: got %+v, %v", tt.in, got, err)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		template string
		platform v1.Platform
		want     string
	}{
		{"TAG-ARCHVARIANT", linux("arm", "v7"), "v1-armv7"},
		{"TAG-ARCH-VARIANT", linux("amd64", ""), "v1-amd64"},
		{"TAG-ARCH-VARIANT", linux("arm64", "v8"), "v1-arm64"},
		{"x_OS_ARCH_VARIANT", linux("arm", "v6"), "x_linux_arm_v6"},
		{"fixed", linux("arm", "v6"), "fixed"},
	}
	for _, tt := range tests {
		if got := compose.Expand(tt.template, tt.platform, "v1"); got != tt.want {
			t.Errorf("%s for %s: got %s, want %s", tt.template, tt.platform, got, tt.want)
		}
	}
}

func TestOverridesSelectFromList(t *testing.T) {
	t.Parallel()
	source := sourceOf(t, registrytest.ListOf(image("amd64"), image("arm64")), "r.example/demo:v1")
	source.Overrides = compose.Overrides{
		Platform:    v1.Platform{OS: "linux", Architecture: "arm64", OSVersion: "1"},
		Annotations: map[string]string{"k": "v"},
	}
	got, _, err := compose.FromReports([]compose.Source{source}, compose.SelectOptions{})
	if err != nil || len(got) != 1 || got[0].Platform().OSVersion != "1" || got[0].Descriptor.Annotations["k"] != "v" {
		t.Errorf("got %v, %v", got, err)
	}
	source.Overrides.Platform.Architecture = "s390x"
	_, _, err = compose.FromReports([]compose.Source{source}, compose.SelectOptions{})
	wantError(t, err, compose.ErrNoMatch, "linux/arm64")
	single := sourceOf(t, image("amd64"), "r.example/demo:v1")
	single.Overrides = source.Overrides
	_, _, err = compose.FromReports([]compose.Source{single}, compose.SelectOptions{})
	wantError(t, err, compose.ErrPlatform, "s390x")
}
