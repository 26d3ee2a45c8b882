package inspect_test

import (
	"testing"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestReadSortsAttachments(t *testing.T) {
	t.Parallel()
	amd64, gone := image("linux/amd64"), image("linux/arm64")
	orphan := registrytest.Attestation(gone.Manifest)
	layer := amd64.Order[0]
	chart := registrytest.Artifact(registrytest.ArtifactSpec{Config: &registrytest.ArtifactLayer{
		MediaType: "application/vnd.cncf.helm.config.v1+json", Data: []byte("{}"),
	}})
	b := list(entry(amd64), orphan,
		entry(chart),
		entry(registrytest.Built{Manifest: registry.Manifest{
			MediaType: layer.MediaType, Digest: layer.Digest,
			Body: make([]byte, layer.Size),
		}}))
	r := readBuilt(t, b)
	if len(r.Images) != 1 || len(r.Images[0].Attestations) != 0 || len(r.Others) != 3 {
		t.Fatalf("%d images, %d others, want 1 and 3", len(r.Images), len(r.Others))
	}
	if digest, is := inspect.AttestationOf(r.Others[0].Descriptor); !is || digest != gone.Digest() {
		t.Errorf("the first is an attestation of %s", digest)
	}
	if a := r.Others[1]; a.Err != nil || a.Manifest.Digest != chart.Digest() || len(a.Blobs) != 1 {
		t.Errorf("the chart is %+v", a)
	}
	if a := r.Others[2]; a.Err != nil || a.Manifest.Body != nil || len(a.Blobs) != 1 || a.Blobs[0].Digest != layer.Digest {
		t.Errorf("the layer is %+v", a)
	}
	single := registry.Object{Ref: registryRef(), Root: chart.Manifest, Source: b.Source()}
	if r := read(t, single); len(r.Images) != 0 || len(r.Others) != 1 || len(r.Others[0].Row) == 0 {
		t.Errorf("a single chart is %+v", r)
	}
}

// Clients pull a row with a platform, so a row that also calls itself an attestation must count as an image.
func TestReadAttestationWithPlatform(t *testing.T) {
	t.Parallel()
	amd64 := image("linux/amd64")
	hidden := registrytest.Attestation(amd64.Manifest)
	hidden.Claim = claim("linux/arm64")
	r := readBuilt(t, list(entry(amd64), hidden))
	if len(r.Images) != 2 || len(r.Images[0].Attestations) != 0 {
		t.Errorf("got %d images, want the hidden one too", len(r.Images))
	}
	r = readBuilt(t, list(entry(amd64), registrytest.Attestation(amd64.Manifest)))
	if len(r.Images) != 1 || len(r.Images[0].Attestations) != 1 {
		t.Errorf("the honest twin gave %d images", len(r.Images))
	}
}

func TestPlatformOfImage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ claim, config, want string }{
		{"linux/arm64", "linux/arm64/v8", "linux/arm64"},
		{"linux/amd64/v3", "linux/amd64", "linux/amd64/v3"},
		{"linux/amd64", "linux/arm64", "linux/arm64"},
		{"", "linux/arm64", "linux/arm64"},
		{"linux/arm64", "", "linux/arm64"},
		{"", "", "unknown/unknown"},
	} {
		i := inspect.Image{Config: plat(c.config)}
		if c.claim != "" {
			i.Descriptor.Platform = claim(c.claim)
		}
		if got := platform.Format(i.Platform()); got != c.want {
			t.Errorf("%q over %q: got %s, want %s", c.claim, c.config, got, c.want)
		}
	}
}
