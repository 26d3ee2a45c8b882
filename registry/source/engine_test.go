package source_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/source"
)

// engineWith starts a fake Docker Engine with one image, which it exports as the tar saved.
func engineWith(t *testing.T, saved []byte) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case path == "/_ping":
			w.Header().Set("Api-Version", "1.44")
		case strings.HasSuffix(path, "/images/get"):
			_, _ = w.Write(saved)
		case strings.HasSuffix(path, "/demo:v1/json"):
			fmt.Fprint(w, `{"Id": "sha256:00"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
	t.Setenv("TMPDIR", t.TempDir())
}

// savedLayout returns an export as of Docker Engine 25 and later: a layout with root and the content of b.
func savedLayout(t *testing.T, root registry.Manifest, b registrytest.Built) []byte {
	t.Helper()
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, Manifests: []v1.Descriptor{root.Descriptor()}})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"oci-layout": []byte(`{"imageLayoutVersion": "1.0.0"}`), "index.json": index,
		"manifest.json": []byte(`[]`),
	}
	names := []string{"oci-layout", "index.json", "manifest.json"}
	put := func(h v1.Hash, data []byte) {
		name := "blobs/sha256/" + h.Hex
		files[name], names = data, append(names, name)
	}
	put(root.Digest, root.Body)
	for _, m := range b.Manifests {
		put(m.Digest, m.Body)
	}
	for h, data := range b.Blobs {
		put(h, data)
	}
	return registrytest.Tar(names, files)
}

func TestEngineImages(t *testing.T) {
	image := func(arch string) registrytest.Built {
		return registrytest.Image(registrytest.ImageSpec{Platform: v1.Platform{OS: "linux", Architecture: arch}})
	}
	amd64, arm64 := image("amd64"), image("arm64")
	list := registrytest.List(registrytest.ListSpec{
		Entries:  []registrytest.Entry{{Built: amd64}, {Built: arm64}},
		Attested: true,
	})
	archive := func() []byte {
		return registrytest.DockerArchive(registrytest.Tagged{Built: amd64, Tags: []string{"demo:v1"}})
	}
	for _, tt := range []struct {
		name   string
		saved  []byte
		digest v1.Hash
		kind   error
	}{
		{"Docker archive", archive(), v1.Hash{}, nil},
		{"layout with an image", savedLayout(t, amd64.Manifest, amd64), amd64.Digest(), nil},
		{"a list with one pulled image", savedLayout(t, list.Manifest, arm64), arm64.Digest(), nil},
		{"a complete list", savedLayout(t, list.Manifest, list), list.Digest(), nil},
		{"cut off", archive()[:2000], v1.Hash{}, registry.ErrContent},
		{"empty", nil, v1.Hash{}, registry.ErrContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			engineWith(t, tt.saved)
			ref := parse(t, "docker-daemon:demo:v1")
			o, err := source.Opener{}.Open(t.Context(), ref, source.Options{})
			if !errors.Is(err, tt.kind) || tt.kind == nil && err != nil {
				t.Fatalf("%v, want %v", err, tt.kind)
			}
			if err == nil {
				checkSaved(t, o, ref, tt.digest)
			}
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
				t.Errorf("temporary files left: %v, %v", left, err)
			}
		})
	}
}

func checkSaved(t *testing.T, o registry.Object, ref registry.Ref, digest v1.Hash) {
	t.Helper()
	if o.Ref != ref || digest != (v1.Hash{}) && o.Root.Digest != digest {
		t.Errorf("got %s %s, want %s", o.Ref, o.Root.Digest, digest)
	}
	if m, err := o.Source.Manifest(t.Context(), o.Root.Descriptor()); err != nil || !bytes.Equal(m.Body, o.Root.Body) {
		t.Errorf("reading the root: %v", err)
	}
	if err := o.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestEngineWithoutImage(t *testing.T) {
	engineWith(t, nil)
	_, err := source.Opener{}.Open(t.Context(), parse(t, "docker-daemon:other:v1"), source.Options{})
	if !errors.Is(err, registry.ErrNotFound) ||
		!strings.Contains(err.Error(), "docker-daemon:docker.io/library/other:v1") {
		t.Errorf("opening a missing image: %v", err)
	}
}
