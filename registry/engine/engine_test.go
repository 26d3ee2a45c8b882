package engine

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"mtool/registry"
	"mtool/registry/registrytest"
)

// fakeEngine answers like an engine that has the images in ids, and records the last load.
type fakeEngine struct {
	ids    map[string]string // by name
	answer string            // of a load
	api    string            // its API version, "" is 1.41
	driver string            // the JSON of its DriverStatus
	loaded []byte
	onLoad func(f *fakeEngine)
}

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(r.URL.Path[1:], "/") // the version
	switch {
	case r.URL.Path == "/_ping":
		w.Header().Set("Api-Version", cmp.Or(f.api, "1.41"))
	case path == "info":
		fmt.Fprintf(w, `{"DriverStatus": %s}`, cmp.Or(f.driver, "null"))
	case path == "version":
		fmt.Fprint(w, `{"Os": "linux", "Arch": "arm64", "Version": "20.10.0", "ApiVersion": "1.41"}`)
	case path == "images/load":
		f.loaded, _ = io.ReadAll(r.Body)
		if f.onLoad != nil {
			f.onLoad(f)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, f.answer)
	case path == "images/get":
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "cut off")
	case strings.HasSuffix(path, "/json"):
		id, ok := f.ids[strings.TrimSuffix(strings.TrimPrefix(path, "images/"), "/json")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message": "No such image"}`)
			return
		}
		fmt.Fprintf(w, `{"Id": %q}`, id)
	}
}

func start(t *testing.T, f *fakeEngine) *Engine {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	e, err := open(environment(t.TempDir(), map[string]string{"DOCKER_HOST": "tcp://" + server.Listener.Addr().String()}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func engineRef(t *testing.T) registry.Ref {
	t.Helper()
	ref, err := registry.ParseRef("docker-daemon:demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

const refName = "docker.io/library/demo:v1"

func TestLoad(t *testing.T) {
	t.Parallel()
	image := registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"},
		Layers:   2,
	})
	config := configOf(t, image)
	stores := func(id string) func(*fakeEngine) {
		return func(f *fakeEngine) { f.ids = map[string]string{refName: id} }
	}
	for _, tt := range []struct {
		name    string
		engine  fakeEngine
		present bool
		sent    bool
		err     error
	}{
		{"new", fakeEngine{onLoad: stores(config)}, false, true, nil},
		{"new, in a containerd store", fakeEngine{onLoad: stores(image.Digest().String())}, false, true, nil},
		{"present", fakeEngine{ids: map[string]string{refName: config}}, true, false, nil},
		{
			"another image of that name",
			fakeEngine{ids: map[string]string{refName: "sha256:00"}, onLoad: stores(config)},
			false,
			true, nil,
		},
		{"refused", fakeEngine{answer: `{"stream":"x"}{"error":"no space left"}`}, false, true, registry.ErrRefused},
		{"stored as another image", fakeEngine{onLoad: stores("sha256:00")}, false, true, registry.ErrContent},
		{"not stored at all", fakeEngine{}, false, true, registry.ErrContent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, &tt.engine)
			present, err := e.Load(t.Context(), engineRef(t), image.Manifest, image.Source())
			if present != tt.present || !errors.Is(err, tt.err) || (tt.err == nil) != (err == nil) {
				t.Errorf("present %t, %v; want %t, %v", present, err, tt.present, tt.err)
			}
			if sent := len(tt.engine.loaded) > 0; sent != tt.sent {
				t.Errorf("sent: %t, want %t", sent, tt.sent)
			}
		})
	}
}

// The uploaded tar has each blob once, and is both a Docker archive and an OCI archive.
func TestLoadedTar(t *testing.T) {
	t.Parallel()
	built := registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"},
		Layers:   2,
	})
	withZstd := repack(t, built)
	for name, b := range map[string]registrytest.Built{"gzip": built, "zstd": withZstd} {
		f := &fakeEngine{onLoad: func(f *fakeEngine) { f.ids = map[string]string{refName: configOf(t, b)} }}
		if _, err := start(t, f).Load(t.Context(), engineRef(t), b.Manifest, b.Source()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files := untar(t, f.loaded)
		var docker []struct {
			Config   string
			RepoTags []string
			Layers   []string
		}
		if err := json.Unmarshal(files["manifest.json"], &docker); err != nil || len(docker) != 1 ||
			len(docker[0].Layers) != 2 || docker[0].RepoTags[0] != refName {
			t.Fatalf("%s: manifest.json %s: %v", name, files["manifest.json"], err)
		}
		for _, layer := range docker[0].Layers {
			if data := files[layer]; len(data) == 0 || bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")) {
				t.Errorf("%s: layer %s has %d bytes or is zstd", name, layer, len(data))
			}
		}
		if !bytes.Contains(files["index.json"], []byte(b.Digest().String())) ||
			!bytes.Equal(files[blobName(b.Digest())], b.Manifest.Body) {
			t.Errorf("%s: the OCI archive does not have the manifest: %s", name, files["index.json"])
		}
	}
}

// repack returns the image with its layers compressed by zstd.
func repack(t *testing.T, b registrytest.Built) registrytest.Built {
	t.Helper()
	var m v1.Manifest
	if err := json.Unmarshal(b.Manifest.Body, &m); err != nil {
		t.Fatal(err)
	}
	out := registrytest.Built{Blobs: map[v1.Hash][]byte{m.Config.Digest: b.Blobs[m.Config.Digest]}}
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Layers {
		packed := w.EncodeAll(b.Blobs[m.Layers[i].Digest], nil)
		m.Layers[i] = v1.Descriptor{
			MediaType: types.OCILayerZStd, Digest: registrytest.Hash(packed),
			Size: int64(len(packed)),
		}
		out.Blobs[m.Layers[i].Digest] = packed
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if out.Manifest, err = registry.NewManifest("", body); err != nil {
		t.Fatal(err)
	}
	return out
}

func untar(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := files[h.Name]; twice {
			t.Errorf("%s is in the tar twice", h.Name)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func configOf(t *testing.T, b registrytest.Built) string {
	t.Helper()
	m, err := v1.ParseManifest(bytes.NewReader(b.Manifest.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Config.Digest.String()
}

// When a source fails, Load returns its error and not the engine's complaint about a partial image.
func TestLoadReturnsSourceError(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(registrytest.ImageSpec{Layers: 2})
	broken := b.Without(b.Order[len(b.Order)-1].Digest)
	_, err := start(t, &fakeEngine{}).Load(t.Context(), engineRef(t), b.Manifest, broken.Source())
	if !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), "from memory") {
		t.Errorf("loading without a layer: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	e := start(t, &fakeEngine{})
	image := registrytest.Image(registrytest.ImageSpec{})
	if _, err := e.Load(t.Context(), engineRef(t).WithDigest(image.Digest()), image.Manifest,
		image.Source()); !errors.Is(err, registry.ErrName) {
		t.Errorf("loading under a digest: %v", err)
	}
	list := registrytest.List(registrytest.ListSpec{Entries: []registrytest.Entry{{Built: image}}})
	if _, err := e.Load(t.Context(), engineRef(t), list.Manifest, list.Source()); !errors.Is(err, registry.ErrContent) {
		t.Errorf("loading a list: %v", err)
	}
	body := bytes.ReplaceAll(image.Manifest.Body, []byte("tar+gzip"), []byte("tar+gzip+encrypted"))
	m, err := registry.NewManifest("", body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Load(t.Context(), engineRef(t), m, image.Source()); !errors.Is(err, registry.ErrRefused) {
		t.Errorf("loading encrypted layers: %v", err)
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	e := start(t, &fakeEngine{ids: map[string]string{refName: "sha256:00"}})
	if err := e.Save(t.Context(), engineRef(t).WithTag("nope"), io.Discard); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("saving a missing image: %v", err)
	}
	if err := e.Save(t.Context(), engineRef(t), io.Discard); !errors.Is(err, registry.ErrUnavailable) ||
		!strings.Contains(err.Error(), "cut off") {
		t.Errorf("a truncated response: %v", err)
	}
	full := errors.New("full")
	if err := e.Save(t.Context(), engineRef(t), failingWriter{full}); !errors.Is(err, full) ||
		errors.Is(err, registry.ErrUnavailable) {
		t.Errorf("a full disk: %v", err)
	}
}

// failingWriter fails every write with err.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestPlatform(t *testing.T) {
	t.Parallel()
	p, err := start(t, &fakeEngine{}).Platform(t.Context())
	if err != nil || p.OS != "linux" || p.Architecture != "arm64" {
		t.Errorf("%v, %v", p, err)
	}
}

func TestImageName(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 32)
	for typed, want := range map[string]string{
		"docker-daemon:demo":         "docker.io/library/demo:latest",
		"docker-daemon:sha256:" + id: "sha256:" + id,
		"docker-daemon:h:5/a/b:v1":   "h:5/a/b:v1",
	} {
		ref, err := registry.ParseRef(typed)
		if err != nil {
			t.Fatal(err)
		}
		if got := imageName(ref); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

// As in docker, the certificate of an engine is verified unless DOCKER_TLS_VERIFY is empty.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(&fakeEngine{})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	good, empty, broken := t.TempDir(), t.TempDir(), t.TempDir()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for dir, content := range map[string]string{good: string(authority), broken: "not a certificate"} {
		write(t, dir, "ca.pem", content)
	}
	for _, tt := range []struct {
		name, certs, verify string
		kind                error
	}{
		{"with its CA", good, "1", nil},
		{"without its CA", empty, "1", registry.ErrUnavailable},
		{"not verified", empty, "", nil},
		{"a broken CA file", broken, "1", registry.ErrDenied},
	} {
		e, err := open(environment(t.TempDir(), map[string]string{
			"DOCKER_HOST": "tcp://" + server.Listener.Addr().String(), "DOCKER_CERT_PATH": tt.certs,
			"DOCKER_TLS_VERIFY": tt.verify,
		}))
		if err == nil {
			_, err = e.Platform(t.Context())
		}
		if tt.kind == nil && err != nil || !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.kind)
		}
	}
}
