package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// zeros is a reader of n zero bytes, which is a tar without entries, and so a valid layer.
type zeros struct{ n int64 }

func (z zeros) ReadAt(p []byte, off int64) (int, error) {
	if off >= z.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), z.n-off)]
	clear(p)
	return len(p), nil
}

func (z zeros) reader() io.ReadSeeker { return io.NewSectionReader(z, 0, z.n) }

// hugeImage is an image with one layer of zeros.
type hugeImage struct {
	layer            zeros
	digest           string // of the layer
	config, manifest []byte
}

func newHugeImage(t *testing.T, size int64) hugeImage {
	t.Helper()
	h := hugeImage{layer: zeros{size}}
	sum := sha256.New()
	if _, err := io.Copy(sum, h.layer.reader()); err != nil {
		t.Fatal(err)
	}
	h.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	h.config = fmt.Appendf(nil,
		`{"os":"linux","architecture":"amd64","config":{"Entrypoint":["/app"]},"rootfs":{"type":"layers","diff_ids":[%q]}}`,
		h.digest)
	h.manifest = fmt.Appendf(nil,
		`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		types.OCIManifestSchema1, types.OCIConfigJSON, digestOf(h.config), len(h.config), types.OCIUncompressedLayer,
		h.digest, size)
	return h
}

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// layout writes the image into a folder. Its layer is a sparse file.
func (h hugeImage) layout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	blobs := filepath.Join(dir, "blobs", "sha256")
	index := fmt.Appendf(nil,
		`{"schemaVersion":2,"manifests":[{"mediaType":%q,"digest":%q,"size":%d,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}`,
		types.OCIManifestSchema1, digestOf(h.manifest), len(h.manifest))
	layer := filepath.Join(blobs, strings.TrimPrefix(h.digest, "sha256:"))
	for _, err := range []error{
		os.MkdirAll(blobs, 0o755),
		os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644),
		os.WriteFile(filepath.Join(dir, "index.json"), index, 0o644),
		os.WriteFile(filepath.Join(blobs, strings.TrimPrefix(digestOf(h.manifest), "sha256:")), h.manifest, 0o644),
		os.WriteFile(filepath.Join(blobs, strings.TrimPrefix(digestOf(h.config), "sha256:")), h.config, 0o644),
		os.WriteFile(layer, nil, 0o644), os.Truncate(layer, h.layer.n),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// serveHuge starts a registry of images, each in a repository with its name.
func serveHuge(t *testing.T, images map[string]hugeImage) (host string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		repo, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
		image, ok := images[repo]
		switch _, id, _ := strings.Cut(what, "/"); {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(what, "manifests/"):
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image.manifest))
		case id == image.digest:
			http.ServeContent(w, r, "", time.Time{}, image.layer.reader())
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image.config))
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// sink is a registry that accepts everything. It keeps manifests, but only the lengths of blobs.
type sink struct {
	server    *httptest.Server
	manifests sync.Map // path: body
	blobs     sync.Map // path: length
	largest   atomic.Int64
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *sink) host() string { return s.server.Listener.Addr().String() }

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.Contains(r.URL.Path, "/blobs/uploads/"):
		s.upload(w, r)
	case strings.Contains(r.URL.Path, "/blobs/"):
		n, ok := s.blobs.Load(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.FormatInt(n.(int64), 10))
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.manifests.Store(r.URL.Path, body)
		s.manifests.Store(r.URL.Path[:strings.LastIndex(r.URL.Path, "/")+1]+digestOf(body), body)
		w.Header().Set("Docker-Content-Digest", digestOf(body))
		w.WriteHeader(http.StatusCreated)
	default:
		s.manifest(w, r)
	}
}

func (s *sink) upload(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Query().Get("digest") == "" {
		w.Header().Set("Location", r.URL.Path+"1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return
	}
	repo, _, _ := strings.Cut(r.URL.Path, "uploads/")
	s.blobs.Store(repo+r.URL.Query().Get("digest"), n)
	for old := s.largest.Load(); n > old && !s.largest.CompareAndSwap(old, n); {
		old = s.largest.Load()
	}
	w.WriteHeader(http.StatusCreated)
}

func (s *sink) manifest(w http.ResponseWriter, r *http.Request) {
	body, ok := s.manifests.Load(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	var m struct {
		MediaType types.MediaType `json:"mediaType"`
	}
	_ = json.Unmarshal(body.([]byte), &m)
	w.Header().Set("Content-Type", string(m.MediaType))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body.([]byte)))
}
