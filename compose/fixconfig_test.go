package compose_test

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

// imageWithArch returns an image whose config says arch and whose program is for binary.
func imageWithArch(arch, binary string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: arch},
		Binary:   binary,
	})
}

// The row of an image, and those of its attestations and artifacts, use the name that runtimes look for. The image
// itself is not changed.
func TestRowsHaveNormalPlatforms(t *testing.T) {
	t.Parallel()
	for _, odd := range []registrytest.Built{
		imageWithArch("x86_64", "amd64"), attested(imageWithArch("x86_64", "amd64")),
		withSOCI(imageWithArch("x86_64", "amd64")),
	} {
		entries, notes, err := compose.FromReport(read(t, odd, "r.example/demo:v1"), compose.SelectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		e := entries[0]
		if e.Platform().Architecture != "amd64" || e.Config.Architecture != "x86_64" {
			t.Errorf("the row says %v, the config %v", e.Platform(), e.Config)
		}
		for _, a := range e.Attestations {
			if p := a.Descriptor.Platform; p != nil && p.Architecture != "amd64" && p.Architecture != "unknown" {
				t.Errorf("the row of its attestation or artifact says %v", p)
			}
		}
		if !strings.Contains(strings.Join(notes, "\n"),
			"says linux/x86_64: its row says linux/amd64, which runtimes look for") {
			t.Errorf("no note: %q", notes)
		}
	}
	right, notes, err := compose.FromReport(read(t, imageWithArch("amd64", "amd64"), "r.example/demo:v1"),
		compose.SelectOptions{})
	if err != nil || right[0].Platform().Architecture != "amd64" || len(notes) > 0 {
		t.Errorf("the twin: %v, %q, %v", right, notes, err)
	}
}

func TestFixConfigs(t *testing.T) {
	t.Parallel()
	odd := imageWithArch("arm32v7", "arm")
	l := list(t, "r.example/demo:v1", sourceOf(t, attested(odd), "r.example/demo:odd"),
		sourceOf(t, image("arm64"), "r.example/demo:arm64"))
	if _, _, err := l.FixConfigs(true); !errors.Is(err, registry.ErrUsage) {
		t.Errorf("attestations kept: %v", err)
	}
	fixed, cs, err := l.FixConfigs(false)
	if err != nil || actions(cs) != "edited" || !strings.Contains(cs[0].String(), "dropped: 1 attestation") {
		t.Fatalf("got %v, %v", cs, err)
	}
	e := fixed.Entries[0]
	var config map[string]any
	if err := json.Unmarshal(e.Image.ConfigBody, &config); err != nil || config["architecture"] != "arm" ||
		config["variant"] != "v7" {
		t.Errorf("the config says %s, %v", e.Image.ConfigBody, err)
	}
	if e.Digest() == l.Entries[0].Digest() || len(e.Attestations) > 0 ||
		!equal(e.Image.Layers, l.Entries[0].Image.Layers) {
		t.Errorf("digest %s, %d attestations, layers %v", e.Digest(), len(e.Attestations), e.Image.Layers)
	}
	report, err := fixed.Report()
	if err != nil {
		t.Fatal(err)
	}
	if err := inspect.Failed(inspect.Check(report, inspect.CheckOptions{})); err != nil {
		t.Error(err)
	}
	again, cs, err := fixed.FixConfigs(false)
	if err != nil || len(cs) > 0 || encode(t, again).Digest != encode(t, fixed).Digest {
		t.Errorf("a second time: %v, %v", cs, err)
	}
	// The new config is in no source, so it is uploaded even to the repository of the image.
	p, err := compose.NewPlan(fixed, refs(t, "r.example/demo:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if u := p.Uploads[0]; len(u.Blobs) != 1 || u.Blobs[0].Descriptor.Digest != e.ConfigDigest || u.Blobs[0].Mountable {
		t.Errorf("blobs %v", u.Blobs)
	}
}
