package archive_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

// docker save writes only those platforms of a list that were pulled, and does not say which are missing.
func TestPartialList(t *testing.T) {
	t.Parallel()
	images := []registrytest.Built{
		image(amd64, "1"), image(arm64, "1"),
		image(v1.Platform{OS: "linux", Architecture: "s390x"}, "1"),
	}
	var entries []registrytest.Entry
	for _, b := range images {
		entries = append(entries, registrytest.Entry{Built: b})
	}
	list := registrytest.List(registrytest.ListSpec{Attested: true, Entries: entries})
	whole := t.TempDir() + "/whole.tar"
	write(t, "oci-archive:"+whole, map[string]registrytest.Built{"v1": list})
	names, files := untar(t, load(t, whole))
	files["manifest.json"] = []byte("[]")
	// part writes an archive with only some of the images, with manifest.json if docker is set.
	part := func(docker bool, images ...registrytest.Built) string {
		var kept []string
		for _, name := range append(names, "manifest.json") {
			has := func(b registrytest.Built) bool { return name == "blobs/sha256/"+b.Digest().Hex }
			child := slices.ContainsFunc(list.Manifests, func(m registry.Manifest) bool {
				return name == "blobs/sha256/"+m.Digest.Hex && m.Digest != list.Digest()
			})
			if child && !slices.ContainsFunc(images, has) || name == "manifest.json" && !docker {
				continue
			}
			kept = append(kept, name)
		}
		file := t.TempDir() + "/part.tar"
		save(t, file, registrytest.Tar(kept, files))
		return file
	}

	o := open(t, part(true, images[1]))
	if o.Root.Digest != images[1].Digest() || len(o.Missing) != 5 {
		t.Errorf("one image: got %s, %d missing", o.Root.Digest, len(o.Missing))
	}
	o = open(t, part(true, images[0], images[2]))
	var cut v1.IndexManifest
	if err := json.Unmarshal(o.Root.Body, &cut); err != nil || !o.Root.IsList() || len(cut.Manifests) != 2 ||
		len(o.Missing) != 4 {
		t.Errorf("two images: got %s, %v, %d missing", o.Root.Body, err, len(o.Missing))
	}
	if m, err := o.Source.Manifest(t.Context(), o.Root.Descriptor()); err != nil || m.Digest != o.Root.Digest {
		t.Errorf("reading the list of two images: %v", err)
	}
	if o = open(t, whole); o.Root.Digest != list.Digest() || o.Missing != nil {
		t.Errorf("all images: got %s, %d missing", o.Root.Digest, len(o.Missing))
	}
	// In a file of another program a missing image is an error, found when the image is read.
	if o = open(t, part(false, images[1])); o.Root.Digest != list.Digest() || o.Missing != nil {
		t.Errorf("another program: got %s, %d missing", o.Root.Digest, len(o.Missing))
	}
}

// An index.json whose rows have platforms and no names is read as a list.
func TestIndexAsList(t *testing.T) {
	t.Parallel()
	row := func(b registrytest.Built, p *v1.Platform, name string) v1.Descriptor {
		d := b.Manifest.Descriptor()
		d.Platform = p
		if name != "" {
			d.Annotations = map[string]string{"org.opencontainers.image.ref.name": name}
		}
		return d
	}
	a, b := image(amd64, "1"), image(arm64, "1")
	for _, tt := range []struct {
		name string
		rows []v1.Descriptor
		kind error
	}{
		{"two platforms", []v1.Descriptor{row(a, &amd64, ""), row(b, &arm64, "")}, nil},
		{"two of one platform", []v1.Descriptor{row(a, &amd64, ""), row(b, &amd64, "")}, registry.ErrName},
		{"one with a name", []v1.Descriptor{row(a, &amd64, "v1"), row(b, &arm64, "")}, registry.ErrName},
		{"no platforms", []v1.Descriptor{row(a, nil, ""), row(b, nil, "")}, registry.ErrName},
	} {
		dir := t.TempDir() + "/layout"
		write(t, "oci:"+dir, map[string]registrytest.Built{"a": a, "b": b})
		index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, Manifests: tt.rows})
		if err != nil {
			t.Fatal(err)
		}
		save(t, dir+"/index.json", index)
		o, err := archive.Open(t.Context(), parse(t, "oci:"+dir))
		if !errors.Is(err, tt.kind) ||
			tt.kind == nil && (err != nil || !o.Root.IsList() || string(o.Root.Body) != string(index)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
