package inspect_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// A row that some client takes for an image is checked as an image, whatever type it states.
func TestRowsThatClientsTake(t *testing.T) {
	t.Parallel()
	amd64, arm64 := image("linux/amd64"), image("linux/arm64")
	wrong := func(s registrytest.ImageSpec) registrytest.Built {
		s.Platform, s.Seed = plat("linux/arm64"), "lie"
		return registrytest.Image(s)
	}
	as := func(b registrytest.Built, kind string) registrytest.Entry {
		e := claimed(b, "linux/amd64")
		e.ArtifactType = kind
		return e
	}
	soci := registrytest.SOCI(amd64)
	bare, other, zstd, typed := soci, soci, soci, soci
	bare.NoPlatform, other.Claim = true, claim("linux/amd64/v3")
	zstd.Annotations = map[string]string{"io.github.containers.compression.zstd": "true"}
	typed.MediaType = "application/vnd.example+json"
	hidden := registrytest.Attestation(amd64.Manifest)
	hidden.Built, hidden.NoPlatform = wrong(registrytest.ImageSpec{}), true
	disguised := registrytest.Entry{Built: wrong(registrytest.ImageSpec{}), NoPlatform: true, MediaType: types.OCILayer}
	row := func(b registrytest.Built) registrytest.Entry {
		e := entry(b)
		e.MediaType = "application/vnd.example+json"
		return e
	}
	for name, c := range map[string]struct {
		liar, twin []registrytest.Entry
		message    string
	}{
		"artifactType of the row": {
			[]registrytest.Entry{as(wrong(registrytest.ImageSpec{}), "x/y"), entry(amd64)},
			[]registrytest.Entry{as(amd64, "x/y"), entry(arm64)},
			"the config says linux/arm64",
		},
		"artifactType of the manifest": {
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ArtifactType: "x/y"}), "linux/amd64")},
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ArtifactType: "x/y"}), "linux/arm64")},
			"the config says linux/arm64",
		},
		"config that Docker takes": {
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ConfigType: "application/octet-stream"}), "linux/amd64")},
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ConfigType: "application/octet-stream"}), "linux/arm64")},
			"the config says linux/arm64",
		},
		"config that containerd takes": {
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ConfigType: "x/y"}), "linux/amd64")},
			[]registrytest.Entry{claimed(wrong(registrytest.ImageSpec{ConfigType: "x/y"}), "linux/arm64")},
			"the config says linux/arm64",
		},
		"unknown media type": {
			[]registrytest.Entry{row(amd64), entry(arm64)},
			[]registrytest.Entry{entry(amd64), entry(arm64)},
			"an artifact, not an image",
		},
		"unknown media type, no platform": {
			[]registrytest.Entry{entry(amd64), disguised},
			[]registrytest.Entry{entry(amd64), entry(registrytest.Built{Manifest: layerOf(amd64)})},
			"its row says",
		},
		"attestation without a platform": {
			[]registrytest.Entry{entry(amd64), hidden},
			[]registrytest.Entry{entry(amd64), registrytest.Attestation(amd64.Manifest)},
			"the list names no platform",
		},
		"SOCI index before its image": {
			[]registrytest.Entry{soci, entry(amd64)},
			[]registrytest.Entry{entry(amd64), soci},
			"an artifact, not an image",
		},
		"SOCI index without its image": {
			[]registrytest.Entry{soci, entry(arm64)},
			[]registrytest.Entry{entry(arm64), entry(amd64), soci},
			"an artifact, not an image",
		},
		"SOCI index without a platform, before amd64": {
			[]registrytest.Entry{bare, entry(amd64)},
			[]registrytest.Entry{entry(amd64), bare},
			"crane takes",
		},
		"SOCI index of another variant": {
			[]registrytest.Entry{entry(amd64), other},
			[]registrytest.Entry{entry(amd64), soci},
			"an artifact, not an image",
		},
		"preferred for its compression": {
			[]registrytest.Entry{entry(amd64), zstd},
			[]registrytest.Entry{entry(amd64), soci},
			"an artifact, not an image",
		},
		"unknown media type, before the image": {
			[]registrytest.Entry{typed, entry(amd64)},
			[]registrytest.Entry{entry(amd64), typed},
			"an artifact, not an image",
		},
		"SOCI index of an image with two copies": {
			[]registrytest.Entry{soci, entry(amd64), entry(arm64)},
			[]registrytest.Entry{entry(amd64), entry(arm64), soci},
			"duplicate platform linux/amd64",
		},
	} {
		findings := inspect.Check(read(t, object(c.liar...)), inspect.CheckOptions{})
		if !has(findings, inspect.Mismatch, c.message) {
			t.Errorf("%s: want a mismatch with %q:\n%s", name, c.message, show(findings))
		}
		findings = strictly(read(t, object(c.twin...)))
		if err := inspect.Failed(findings); err != nil {
			t.Errorf("%s: the twin fails: %v", name, err)
		}
	}
}

// layerOf returns a layer of an image as a row could name it.
func layerOf(b registrytest.Built) registry.Manifest {
	d := b.Order[0]
	return registry.Manifest{MediaType: d.MediaType, Digest: d.Digest, Body: make([]byte, d.Size)}
}

// A single image is checked as an image whatever its artifactType; a manifest that no runtime can start is not.
func TestSingleArtifacts(t *testing.T) {
	t.Parallel()
	spec := registrytest.ImageSpec{Platform: plat("linux/arm64"), ArtifactType: "x/y"}
	require := inspect.CheckOptions{Require: []v1.Platform{plat("linux/amd64")}}
	if findings := inspect.Check(read(t, obj(registrytest.Image(spec))), require); !has(findings, inspect.Mismatch,
		"missing linux/amd64") ||
		!has(findings, inspect.ClaimsOK, "a single image, the config says linux/arm64") {
		t.Errorf("an image with an artifactType:\n%s", show(findings))
	}
	artifact := registrytest.Artifact(registrytest.ArtifactSpec{Type: "x/y", Layers: []registrytest.ArtifactLayer{
		{MediaType: string(types.OCILayer), Data: []byte("a folder, packed")},
	}})
	if findings := inspect.Check(read(t, obj(artifact)), inspect.CheckOptions{}); !has(findings, inspect.Note,
		"a single artifact") {
		t.Errorf("an artifact with a layer of a file system:\n%s", show(findings))
	}
}

// An artifact is attached to the image that it describes, and reported if that image is not in the list.
func TestArtifactsOfImages(t *testing.T) {
	t.Parallel()
	amd64, arm64, gone := image("linux/amd64"), image("linux/arm64"), seeded("linux/arm64", "before")
	r := read(t, object(entry(amd64), entry(arm64), registrytest.SOCI(amd64), registrytest.SOCI(gone)))
	if len(r.Images) != 2 || len(r.Others) != 0 || len(r.Images[0].Artifacts) != 1 || len(r.Images[1].Artifacts) != 1 {
		t.Fatalf("got %+v", r)
	}
	findings := inspect.Check(r, inspect.CheckOptions{})
	if !has(findings, inspect.Note, "linux/arm64: the artifact") ||
		has(findings, inspect.Note, "linux/amd64: the artifact") {
		t.Error(show(findings))
	}
}
