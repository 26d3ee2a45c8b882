package store_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/store"
)

const benchSize = 32 << 20

// BenchmarkVerify hashes a blob while reading it.
func BenchmarkVerify(b *testing.B) {
	body := make([]byte, benchSize)
	d := describe(b, body)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		rc, err := store.Verify(io.NopCloser(bytes.NewReader(body)), d, "zeros")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{rc}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPull copies a layer from a registry into a layout.
func BenchmarkPull(b *testing.B) {
	body := make([]byte, benchSize)
	d := describe(b, body)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	defer server.Close()
	ref, err := registry.ParseRef(strings.TrimPrefix(server.URL, "http://") + "/demo")
	if err != nil {
		b.Fatal(err)
	}
	benchCopy(b, d, remote.NewClient(remote.Options{}).Repository(ref, remote.Pull))
}

// BenchmarkCopy copies a layer from one layout to another.
func BenchmarkCopy(b *testing.B) {
	body := make([]byte, benchSize)
	d := describe(b, body)
	dir := b.TempDir()
	if _, err := store.OpenLayout(dir).Writer().PutBlob(b.Context(), d, memory(body)); err != nil {
		b.Fatal(err)
	}
	benchCopy(b, d, store.NewReader(os.DirFS(dir), dir))
}

func benchCopy(b *testing.B, d v1.Descriptor, src registry.Source) {
	b.Helper()
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		w := store.OpenLayout(b.TempDir()).Writer()
		if _, err := w.PutBlob(b.Context(), d, src); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil { // removes the blob, which has no name
			b.Fatal(err)
		}
	}
}

func describe(b *testing.B, body []byte) v1.Descriptor {
	b.Helper()
	digest, size, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	return v1.Descriptor{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digest, Size: size}
}

// memory is a source with one blob.
type memory []byte

func (m memory) Manifest(context.Context, v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, registry.ErrNotFound
}

func (m memory) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m)), nil
}
