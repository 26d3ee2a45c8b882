package rootfs_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// BenchmarkDebian reads all layers $MTOOL_BENCH_LAYERS/*.tar.gz once per iteration: real file systems, too large for
// this repository.
func BenchmarkDebian(b *testing.B) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("MTOOL_BENCH_LAYERS"), "*.tar.gz"))
	if err != nil || len(files) == 0 || os.Getenv("MTOOL_BENCH_LAYERS") == "" {
		b.Skip("MTOOL_BENCH_LAYERS names no directory with *.tar.gz")
	}
	var layers []rootfs.LayerSource
	folder := folder{}
	for _, f := range files {
		data, err := os.Open(f)
		if err != nil {
			b.Fatal(err)
		}
		digest, size, err := v1.SHA256(data)
		if err != nil {
			b.Fatal(err)
		}
		data.Close()
		folder[digest] = f
		layers = append(layers,
			rootfs.LayerSource{Layer: rootfs.Layer{Descriptor: v1.Descriptor{Digest: digest, Size: size}}, Source: folder})
	}
	b.ReportAllocs()
	for b.Loop() {
		scanned, err := rootfs.ScanAll(b.Context(), layers, rootfs.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var unpacked, headers int64
		for _, s := range scanned {
			if s.Err != nil {
				b.Fatal(s.Err)
			}
			unpacked += s.Facts.Unpacked
			headers += s.Facts.Headers
		}
		b.SetBytes(unpacked)
		b.ReportMetric(float64(headers), "headers/op")
	}
}

// folder maps digests to the files of blobs.
type folder map[v1.Hash]string

func (f folder) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	return os.Open(f[d.Digest])
}
