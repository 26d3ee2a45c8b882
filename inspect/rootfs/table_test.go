package rootfs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/stargz-snapshotter/estargz"
	"github.com/containerd/stargz-snapshotter/estargz/zstdchunked"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"mtool/inspect/rootfs"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/repack"
)

// ranges serves parts of one blob, and counts the requested bytes.
type ranges struct {
	data      []byte
	requested int64
}

func (r *ranges) Range(_ context.Context, _ v1.Descriptor, off, n int64) (io.ReadCloser, error) {
	r.requested += n
	return io.NopCloser(io.NewSectionReader(bytes.NewReader(r.data), off, n)), nil
}

// layerOf returns the only layer of an image with these entries, and its bytes.
func layerOf(t testing.TB, packing string, entries ...string) (v1.Descriptor, *ranges) {
	t.Helper()
	b := registrytest.Image(registrytest.ImageSpec{Packing: packing, Files: [][]string{entries}})
	var m struct{ Layers []v1.Descriptor }
	decodeJSON(t, b.Manifest.Body, &m)
	return m.Layers[0], &ranges{data: b.Blobs[m.Layers[0].Digest]}
}

func openTable(t testing.TB, d v1.Descriptor, r rootfs.Ranges) *rootfs.Table {
	t.Helper()
	table, err := rootfs.NewTables(rootfs.Options{}).Open(t.Context(), r, d)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func packings() []string { return []string{"estargz", "zstd:chunked"} }

func TestTable(t *testing.T) {
	t.Parallel()
	for _, packing := range packings() {
		t.Run(packing, func(t *testing.T) {
			t.Parallel()
			d, r := layerOf(t, packing, "dir usr/", "link bin usr/bin", "elf bin/app arm64", "noise bin/big 3000",
				"hard bin/other bin/app", "plain etc/x", "gone etc/y")
			table := openTable(t, d, r)
			facts := table.Facts()
			if facts.Part != rootfs.Listed || !slices.Equal(facts.Whiteouts, []string{"etc/y"}) || r.requested > 2000 {
				t.Fatalf("%+v, %d bytes requested", facts, r.requested)
			}
			kinds := map[string]rootfs.Type{
				"bin": rootfs.Symlink, "etc/x": rootfs.Unread, "usr/bin/app": rootfs.Unread,
				"usr/bin/big": rootfs.Unread, "usr/bin/other": rootfs.Unread,
			}
			for _, f := range facts.Files {
				if kinds[f.Path] != f.Type {
					t.Errorf("%s is %s", f.Path, f.Type)
				}
				delete(kinds, f.Path)
			}
			for _, path := range []string{"usr/bin/app", "usr/bin/other", "usr/bin/big", "etc/x"} {
				if err := table.Examine(t.Context(), path); err != nil {
					t.Error(err)
				}
			}
			got := map[string]string{}
			for _, f := range table.Facts().Files {
				if f.Fact != nil {
					got[f.Path] = f.Fact.Arch
				}
			}
			if len(got) != 2 || got["usr/bin/app"] != "arm64" || got["usr/bin/other"] != "arm64" || len(kinds) != 0 {
				t.Errorf("programs %v, missing in the table %v", got, kinds)
			}
			if _, err := facts.MarshalJSON(); err == nil {
				t.Error("partial facts can be written")
			}
		})
	}
}

// Tables of containerd's snapshotter library are read, whose files are part of one gzip member or of several.
func TestStargzTables(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]estargz.Option{
		"estargz": nil, "pieces": {estargz.WithChunkSize(40)},
		"members of several files": {estargz.WithMinChunkSize(100 << 10)},
		"zstd:chunked": {
			estargz.WithCompression(&zstdCompression{Compressor: zstdchunked.Compressor{CompressionLevel: zstd.SpeedDefault}}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noise := "noise usr/big 300"
			if name == "pieces" {
				noise = "noise usr/big 3" // each piece needs a compressor
			}
			plain := registrytest.LayerTar("dir usr/", noise, "elf usr/app arm64", "elf usr/lib amd64")
			blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(plain), 0, int64(len(plain))), options...)
			if err != nil {
				t.Fatal(err)
			}
			defer blob.Close()
			data, err := io.ReadAll(blob)
			if err != nil {
				t.Fatal(err)
			}
			d := v1.Descriptor{
				Digest: digestOf(t, data), Size: int64(len(data)),
				Annotations: map[string]string{estargz.TOCJSONDigestAnnotation: blob.TOCDigest().String()},
			}
			if name == "zstd:chunked" {
				d.Annotations = zstdAnnotations(t, data)
			}
			readsBoth(t, d, data)
		})
	}
}

// readsBoth reads two programs by the table of the layer.
func readsBoth(t *testing.T, d v1.Descriptor, data []byte) {
	t.Helper()
	table := openTable(t, d, &ranges{data: data})
	for path, arch := range map[string]string{"usr/app": "arm64", "usr/lib": "amd64"} {
		if err := table.Examine(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(table.Facts().Files, func(f rootfs.File) bool { return f.Path == path })
		if f := table.Facts().Files[i]; f.Fact == nil || f.Fact.Arch != arch {
			t.Errorf("%+v", f)
		}
	}
}

// Tables that package repack writes are read, and agree with the tar.
func TestTablesOfRepack(t *testing.T) {
	t.Parallel()
	plain := registrytest.LayerTar("dir usr/", "noise usr/big 300", "elf usr/app arm64", "elf usr/lib amd64")
	for _, name := range packings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			l, err := repack.Format{Name: name}.Pack(t.Context(), &b, bytes.NewReader(registrytest.Gzip(plain)))
			if err != nil {
				t.Fatal(err)
			}
			readsBoth(t, l.Descriptor, b.Bytes())
		})
	}
}

// Each wrong statement about a table is an error; the caller then reads the layer as a stream.
func TestWrongTables(t *testing.T) {
	t.Parallel()
	for _, packing := range packings() {
		t.Run(packing, func(t *testing.T) {
			t.Parallel()
			good, r := layerOf(t, packing, "elf app arm64", "plain x")
			other, _ := layerOf(t, packing, "elf app amd64", "plain x")
			open := func(d v1.Descriptor, data []byte) error {
				table, err := rootfs.NewTables(rootfs.Options{}).Open(t.Context(), &ranges{data: data}, d)
				if err == nil {
					err = table.Examine(t.Context(), "app")
				}
				return err
			}
			if err := open(good, r.data); err != nil {
				t.Fatal(err)
			}
			digestOfOther := good
			digestOfOther.Annotations = map[string]string{}
			for k, v := range good.Annotations {
				if !strings.Contains(k, "position") {
					v = other.Annotations[k]
				}
				digestOfOther.Annotations[k] = v
			}
			wantIs(t, open(digestOfOther, r.data), registry.ErrContent)
			none := good
			none.Annotations = nil
			if open(none, r.data) == nil {
				t.Error("a layer without annotations has a table")
			}
			for i := 0; i < len(r.data); i += 29 { // a changed byte is noticed, or has no effect
				data := slices.Clone(r.data)
				data[i] ^= 0x55
				table, err := rootfs.NewTables(rootfs.Options{}).Open(t.Context(), &ranges{data: data}, good)
				if err != nil {
					continue
				}
				if err := table.Examine(t.Context(), "app"); err == nil && table.Facts().Files[0].Fact.Arch != "arm64" {
					t.Fatalf("byte %d changed: got %+v", i, table.Facts().Files[0])
				}
			}
			if open(good, r.data[:len(r.data)/2]) == nil {
				t.Error("a truncated layer is accepted")
			}
		})
	}
}

func TestTableLimits(t *testing.T) {
	t.Parallel()
	d, r := layerOf(t, "estargz", "elf a arm64", "elf b arm64", "elf c arm64")
	for _, limits := range []rootfs.Limits{{Headers: 2}, {Memory: 100}, {Path: 0, Depth: 0, Memory: 800}} {
		if _, err := rootfs.NewTables(rootfs.Options{Limits: limits}).Open(t.Context(), r, d); !errors.Is(err,
			rootfs.ErrLimit) {
			t.Errorf("%+v: %v", limits, err)
		}
	}
	const prefix = "io.github.containers.zstd-chunked.manifest-"
	long := v1.Descriptor{Digest: d.Digest, Size: 64 << 20, Annotations: map[string]string{
		prefix + "checksum": d.Digest.String(), prefix + "position": fmt.Sprintf("8:%d:%d:1", 33<<20, 1<<20),
	}}
	if _, err := rootfs.NewTables(rootfs.Options{}).Open(t.Context(), r, long); !errors.Is(err, rootfs.ErrLimit) {
		t.Errorf("a table of 33 MiB: %v", err)
	}
}

func wantIs(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// zstdCompression implements the library's Compression interface: compressor and decompressor.
type zstdCompression struct {
	zstdchunked.Compressor
	zstdchunked.Decompressor
}

// zstdAnnotations returns the annotations that containerd's converters write. They are made from the footer, 40 bytes
// in a skippable frame.
func zstdAnnotations(t *testing.T, data []byte) map[string]string {
	t.Helper()
	footer := data[len(data)-zstdchunked.FooterSize:]
	number := func(i int) int64 { return int64(binary.LittleEndian.Uint64(footer[8*i:])) }
	table := data[number(0) : number(0)+number(1)]
	return map[string]string{
		zstdchunked.ManifestChecksumAnnotation: registrytest.Hash(table).String(),
		zstdchunked.ManifestPositionAnnotation: fmt.Sprintf("%d:%d:%d:1", number(0), number(1), number(2)),
	}
}

func decodeJSON(t testing.TB, data []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}
