package engine

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
)

const containerdStore = `[["driver-type", "io.containerd.snapshotter.v1"]]`

func TestKeepsLists(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		api, status string
		want        bool
	}{
		{"1.44", containerdStore, true},
		{"1.43", containerdStore, false}, // Docker Engine 24
		{"1.47", `[["Backing Filesystem", "extfs"]]`, false},
		{"1.47", `null`, false},
	} {
		keeps, err := start(t, &fakeEngine{api: tt.api, driver: tt.status}).KeepsLists(t.Context())
		if err != nil || keeps != tt.want {
			t.Errorf("API %s with %s: %t, %v", tt.api, tt.status, keeps, err)
		}
	}
}

// The tar is a layout whose only name is the list's, and it has every blob once.
func TestListLoad(t *testing.T) {
	t.Parallel()
	var spec registrytest.ListSpec
	for _, arch := range []string{"amd64", "arm64"} {
		spec.Entries = append(spec.Entries, registrytest.Entry{Built: registrytest.Image(registrytest.ImageSpec{
			Platform: v1.Platform{OS: "linux", Architecture: arch},
		})})
	}
	spec.Attested = true
	list := registrytest.List(spec)
	for name, tt := range map[string]struct {
		stores string
		err    error
	}{
		"stored":                 {list.Digest().String(), nil},
		"stored as another list": {"sha256:00", registry.ErrContent},
	} {
		f := &fakeEngine{onLoad: func(f *fakeEngine) { f.ids = map[string]string{refName: tt.stores} }}
		load := start(t, f).StartListLoad(t.Context(), engineRef(t))
		if err := load.End(t.Context(), list.Push(t.Context(), load, refName)); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", name, err, tt.err)
		}
		files := untar(t, f.loaded)
		var index v1.IndexManifest
		if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Manifests) != 1 ||
			index.Manifests[0].Digest != list.Digest() ||
			index.Manifests[0].Annotations["io.containerd.image.name"] != refName {
			t.Errorf("index.json is %s: %v", files["index.json"], err)
		}
		for _, m := range list.Manifests {
			if string(files[blobName(m.Digest)]) != string(m.Body) {
				t.Errorf("manifest %s is missing", m.Digest)
			}
		}
		for digest, data := range list.Blobs {
			if string(files[blobName(digest)]) != string(data) {
				t.Errorf("blob %s is missing", digest)
			}
		}
		if _, docker := files["manifest.json"]; docker || files[layoutFile] == nil {
			t.Errorf("a layout alone is wanted, got %d files", len(files))
		}
	}
}

// A load that is given up never looks whole to the engine.
func TestListLoadGivenUp(t *testing.T) {
	t.Parallel()
	list := registrytest.ListOf(registrytest.Image(registrytest.ImageSpec{}))
	loaded := make(chan string, 1)
	f := &fakeEngine{onLoad: func(f *fakeEngine) { loaded <- string(f.loaded) }}
	load := start(t, f).StartListLoad(t.Context(), engineRef(t))
	broken := errors.New("broken")
	if err := load.PutManifest(t.Context(), list.Manifest); err != nil {
		t.Fatal(err)
	}
	if err := load.End(t.Context(), broken); !errors.Is(err, broken) {
		t.Errorf("given up: %v", err)
	}
	if got := <-loaded; strings.Contains(got, "index.json") {
		t.Error("the engine got a whole layout")
	}
	refused := start(t, &fakeEngine{answer: `{"error":"no space left"}`}).StartListLoad(t.Context(), engineRef(t))
	if err := refused.End(t.Context(), list.Push(t.Context(), refused, refName)); !errors.Is(err, registry.ErrRefused) {
		t.Errorf("refused: %v", err)
	}
}
