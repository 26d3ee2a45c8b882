package archive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

func TestDockerArchiveKeepsLayers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		packed bool
		layer  types.MediaType
	}{{false, types.OCIUncompressedLayer}, {true, types.OCILayer}} {
		b, file := image(amd64, "1"), t.TempDir()+"/d.tar"
		data := registrytest.DockerArchive(registrytest.Tagged{Built: b, Tags: []string{"demo:v1"}, Packed: tt.packed})
		save(t, file, data)
		o := open(t, "docker-archive:"+file)
		var m v1.Manifest
		if err := json.Unmarshal(o.Root.Body, &m); err != nil {
			t.Fatal(err)
		}
		if o.Root.MediaType != types.OCIManifestSchema1 || len(m.Layers) != 2 || m.Layers[0].MediaType != tt.layer {
			t.Errorf("got manifest %s", o.Root.Body)
		}
		config, err := read(t.Context(), o.Source, m.Config)
		if err != nil || !bytes.Equal(config, b.Blobs[m.Config.Digest]) {
			t.Errorf("the config: %s, %v", config, err)
		}
		for _, layer := range m.Layers {
			if got, err := read(t.Context(), o.Source, layer); err != nil || !bytes.Contains(data, got) || len(got) == 0 {
				t.Errorf("layer %s: %d bytes, %v", layer.Digest, len(got), err)
			}
		}
		if again := open(t, "docker-archive:"+file+"@"+o.Root.Digest.String()); !bytes.Equal(again.Root.Body, o.Root.Body) {
			t.Error("opening the archive again made another manifest")
		}
		// The generated manifest can be written to any target.
		made := registrytest.Built{Manifest: o.Root, Manifests: []registry.Manifest{o.Root}}
		w, err := archive.Create(parse(t, "oci:"+t.TempDir()+"/l"))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range append(m.Layers, m.Config) {
			if _, err := w.PutBlob(t.Context(), d, o.Source); err != nil {
				t.Error(err)
			}
		}
		if err := errors.Join(made.Push(t.Context(), w, "v1"), w.Close()); err != nil {
			t.Error(err)
		}
	}
}

// docker save writes a layer that two images share as a link: https://github.com/moby/moby/pull/22866
func TestDockerArchiveWithLinks(t *testing.T) {
	t.Parallel()
	b, file := registrytest.Image(registrytest.ImageSpec{Platform: amd64}), t.TempDir()+"/d.tar"
	plain := registrytest.DockerArchive(registrytest.Tagged{Built: b})
	save(t, file, relink(t, plain, "layer.tar", "../elsewhere/layer.tar"))
	o := open(t, "docker-archive:"+file)
	var m v1.Manifest
	if err := json.Unmarshal(o.Root.Body, &m); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), o.Source, m.Layers[0]); err != nil {
		t.Error(err)
	}
}

// Docker Engine 25 and later writes a layout and manifest.json into one tar. The layout has the image's real digests.
func TestNewDockerArchiveIsALayout(t *testing.T) {
	t.Parallel()
	dir, b := t.TempDir(), image(amd64, "1")
	write(t, "oci-archive:"+dir+"/a.tar", map[string]registrytest.Built{"v1": b})
	names, files := untar(t, load(t, dir+"/a.tar"))
	files["manifest.json"] = []byte(`[{"Config":"nowhere","Layers":[]}]`)
	save(t, dir+"/new.tar", registrytest.Tar(append(names, "manifest.json"), files))
	o := open(t, dir+"/new.tar")
	if o.Root.Digest != b.Digest() || o.Ref.Transport != registry.TransportArchive {
		t.Errorf("got %s from %s, want %s", o.Root.Digest, o.Ref.Transport, b.Digest())
	}
}

// long returns the same JSON, padded beyond the limit.
func long(text []byte) []byte { return append(bytes.Repeat([]byte(" "), 9<<20), text...) }

func TestDamagedDockerArchives(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(registrytest.ImageSpec{Platform: amd64})
	good := registrytest.DockerArchive(registrytest.Tagged{Built: b, Tags: []string{"demo:v1"}})
	for name, damage := range map[string]func(names []string, files map[string][]byte) []string{
		"no layer":  func(names []string, _ map[string][]byte) []string { return []string{names[0], names[2]} },
		"no config": func(names []string, _ map[string][]byte) []string { return names[1:] },
		"manifest":  func(names []string, f map[string][]byte) []string { f["manifest.json"] = []byte("{"); return names },
		"config":    func(names []string, f map[string][]byte) []string { f[names[0]] = []byte("["); return names },
		"long manifest": func(names []string, f map[string][]byte) []string {
			f["manifest.json"] = long(f["manifest.json"])
			return names
		},
		"long config": func(names []string, f map[string][]byte) []string {
			f[names[0]] = long(f[names[0]])
			return names
		},
		"no layers in the config": func(names []string, f map[string][]byte) []string { f[names[0]] = []byte("{}"); return names },
		"more layers in the config": func(names []string, f map[string][]byte) []string {
			more := `"diff_ids":["sha256:` + strings.Repeat("0", 64) + `",`
			f[names[0]] = bytes.Replace(f[names[0]], []byte(`"diff_ids":[`), []byte(more), 1)
			return names
		},
	} {
		names, files := untar(t, good)
		file := t.TempDir() + "/d.tar"
		save(t, file, registrytest.Tar(damage(names, files), files))
		if _, err := archive.Open(t.Context(), parse(t, "docker-archive:"+file)); !errors.Is(err, registry.ErrContent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A layer that does not match the config.
	names, files := untar(t, good)
	files[names[1]][600] ^= 1
	file := t.TempDir() + "/d.tar"
	save(t, file, registrytest.Tar(names, files))
	o := open(t, "docker-archive:"+file)
	var m v1.Manifest
	if err := json.Unmarshal(o.Root.Body, &m); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), o.Source, m.Layers[0]); !errors.Is(err, registry.ErrContent) {
		t.Errorf("a layer with another digest: %v", err)
	}
}
