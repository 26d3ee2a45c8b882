package rootfs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
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
)

// Three annotations can name the table of a layer. All must name the same one, since each runtime uses another.
func TestSeveralTables(t *testing.T) {
	t.Parallel()
	blob, digest := chunked(t, "elf app arm64")
	other, digestOfOther := chunked(t, "elf app amd64")
	right := zstdAnnotations(t, blob)
	right[estargz.TOCJSONDigestAnnotation] = digest
	for _, word := range []string{"checksum", "position"} {
		right["io.github.containers.zstd-chunked.manifest-"+word] = right["io.containers.zstd-chunked.manifest-"+word]
	}
	atEnd := withTable(t, blob, other)
	change := func(pairs ...string) map[string]string {
		all := maps.Clone(right)
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	tests := []struct {
		name        string
		data        []byte
		annotations map[string]string
		want        error
	}{
		{"three for one table", blob, right, nil},
		{"only stargz's", blob, map[string]string{estargz.TOCJSONDigestAnnotation: digest}, nil},
		{"another table at the end, with its digest", atEnd, change(estargz.TOCJSONDigestAnnotation, digestOfOther), registry.ErrContent},
		{"another table at the end, without its digest", atEnd, change(estargz.TOCJSONDigestAnnotation, ""), nil},
		{"another digest of the JSON", blob, change(estargz.TOCJSONDigestAnnotation, digestOfOther), registry.ErrContent},
		{
			"two different digests", blob, change("io.containers.zstd-chunked.manifest-checksum", digestOfOther),
			registry.ErrContent,
		},
		{
			"two different positions", atEnd,
			change("io.containers.zstd-chunked.manifest-position",
				zstdAnnotations(t, atEnd)[zstdchunked.ManifestPositionAnnotation]), registry.ErrContent,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := v1.Descriptor{Digest: digestOf(t, tt.data), Size: int64(len(tt.data)), Annotations: tt.annotations}
			if _, err := rootfs.NewTables(rootfs.Options{}).Open(t.Context(), &ranges{data: tt.data},
				d); !errors.Is(err, tt.want) {
				t.Errorf("opened: got %v, want %v", err, tt.want)
			}
			source, _ := newBlobs(t, tt.data)
			got, err := rootfs.ScanAll(t.Context(), []rootfs.LayerSource{{Layer: rootfs.Layer{Descriptor: d}, Source: source}},
				rootfs.Options{Compare: true})
			if err != nil || got[0].Err != nil {
				t.Fatal(err, got[0].Err)
			}
			if table := got[0].Facts.Table; (table.Differs != "") != (tt.want != nil) || table.Unread != "" {
				t.Errorf("compared: got %+v, want %v", table, tt.want)
			}
		})
	}
}

// chunked returns a zstd:chunked layer made by containerd's library, and the digest of its table's JSON.
func chunked(t *testing.T, entries ...string) (data []byte, digest string) {
	t.Helper()
	plain := registrytest.LayerTar(entries...)
	blob, err := estargz.Build(io.NewSectionReader(bytes.NewReader(plain), 0, int64(len(plain))),
		estargz.WithCompression(&zstdCompression{Compressor: zstdchunked.Compressor{CompressionLevel: zstd.SpeedDefault}}))
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if data, err = io.ReadAll(blob); err != nil {
		t.Fatal(err)
	}
	return data, blob.TOCDigest().String()
}

// withTable returns a layer followed by the table of another layer.
func withTable(t *testing.T, data, other []byte) []byte {
	t.Helper()
	footer := slices.Clone(other[len(other)-zstdchunked.FooterSize:])
	off, n := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	table := other[off : off+n]
	frame := func(b []byte) []byte {
		return slices.Concat([]byte("\x50\x2a\x4d\x18"), binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b)
	}
	binary.LittleEndian.PutUint64(footer, uint64(len(data)+8))
	return slices.Concat(data, frame(table), frame(footer))
}

// A layer with the table of another layer is reported, for each kind of difference.
func TestTablesOfOtherLayers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ layer, table, want string }{
		"the same":          {"elf app arm64,plain x", "elf app arm64,plain x", ""},
		"other content":     {"elf app arm64", "elf app amd64", "/app: the table describes its content differently"},
		"another size":      {"noise x 1", "noise x 2", "/x: the table describes it differently"},
		"another kind":      {"dir x/", "plain x", "/x: the table describes it differently"},
		"another target":    {"link a b", "link a c", "/a: the table describes it differently"},
		"more in the table": {"elf app arm64", "elf app arm64,plain x", "/x: the layer has no such file"},
		"more in the layer": {"elf app arm64,plain x", "elf app arm64", "/x: it is not in the table"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			layer, _ := chunked(t, strings.Split(tt.layer, ",")...)
			table, _ := chunked(t, strings.Split(tt.table, ",")...)
			data := withTable(t, layer, table)
			d := v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data)), Annotations: zstdAnnotations(t, data)}
			source, _ := newBlobs(t, data)
			got, err := rootfs.ScanAll(t.Context(), []rootfs.LayerSource{{Layer: rootfs.Layer{Descriptor: d}, Source: source}},
				rootfs.Options{Compare: true})
			if err != nil || got[0].Err != nil {
				t.Fatal(err, got[0].Err)
			}
			if table := got[0].Facts.Table; table.Differs != tt.want || table.Unread != "" {
				t.Errorf("%+v, want %q", table, tt.want)
			}
			if name != "other content" {
				return
			}
			if err := openTable(t, d, &ranges{data: data}).Examine(t.Context(), "app"); !errors.Is(err, registry.ErrContent) {
				t.Errorf("a file that differs from its table: %v", err)
			}
		})
	}
}

// Entries that are refused in a tar are refused in a table too.
func TestTableRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []string{
		`"type":"dir","name":"x","xattrs":{"trusted.overlay.redirect":"L29wdA=="}`,
		`"type":"char","name":"x","devMajor":0,"devMinor":0`,
	} {
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(`{"version":1,"entries":[{` + row + `}]}`)
		table := w.EncodeAll(text, nil)
		data := append([]byte("12345678"), table...)
		const prefix = "io.github.containers.zstd-chunked.manifest-"
		d := v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data)), Annotations: map[string]string{
			prefix + "checksum": registrytest.Hash(table).String(),
			prefix + "position": fmt.Sprintf("8:%d:%d:1", len(table), len(text)),
		}}
		_, err = rootfs.NewTables(rootfs.Options{}).Open(t.Context(), &ranges{data: data}, d)
		if unchecked, ok := errors.AsType[*rootfs.UncheckedError](err); !ok || unchecked.Reason != rootfs.Ambiguous {
			t.Errorf("%s: got %v", row, err)
		}
	}
}
