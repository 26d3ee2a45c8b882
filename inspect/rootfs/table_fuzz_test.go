package rootfs_test

import (
	"errors"
	"fmt"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"mtool/inspect/rootfs"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// FuzzTable: any table of contents, and the files that it lists, are read or refused within the limits.
func FuzzTable(f *testing.F) {
	for _, packing := range packings() {
		d, r := layerOf(f, packing, "dir usr/", "link bin usr/bin", "elf bin/app arm64", "hard b bin/app",
			"gone x", "plain y")
		var offset, n int64
		if _, err := fmt.Sscanf(d.Annotations["io.github.containers.zstd-chunked.manifest-position"], "%d:%d:", &offset,
			&n); err == nil {
			f.Add(string(unzstd(f, r.data[offset:offset+n])), uint8(0))
		}
	}
	f.Add(`{"version":1,"entries":[{"name":"a","type":"reg","size":3,"offset":1,"chunkSize":2},{"type":"chunk","chunkOffset":2,"offset":2}]}`, uint8(1))
	f.Add(`{"entries":[{"name":"a","type":"reg","size":1152921504606846976,"chunkType":"zeros"},{"name":"a/b","type":"symlink","linkName":"../.."}]}`, uint8(1))
	f.Add(`{"entries":null,"entries":[[],{"type":"chunk"}],"x":{"y":[{}]}}`, uint8(0))
	content := zstded(f, elfOf(f, "arm64", ""))
	f.Fuzz(func(t *testing.T, text string, read uint8) {
		table := zstded(t, []byte(text))
		data := append(append([]byte{}, content...), table...)
		d := v1.Descriptor{Digest: digestOf(t, data), Size: int64(len(data)), Annotations: map[string]string{
			"io.containers.zstd-chunked.manifest-checksum": registrytest.Hash(table).String(),
			"io.containers.zstd-chunked.manifest-position": fmt.Sprintf("%d:%d:%d:1", len(content), len(table), len(text)),
		}}
		limits := rootfs.Limits{Headers: 1000, Unpacked: 1 << 20, Memory: 1 << 20}
		opened, err := rootfs.NewTables(rootfs.Options{Limits: limits}).Open(t.Context(), &ranges{data: data}, d)
		for i := range int(read % 8) {
			if err != nil || i >= len(opened.Facts().Files) {
				break
			}
			if file := opened.Facts().Files[i]; file.Type == rootfs.Unread {
				err = opened.Examine(t.Context(), file.Path)
			}
		}
		switch {
		case err != nil && !errors.Is(err, registry.ErrContent) && !errors.Is(err, rootfs.ErrLimit):
			t.Fatalf("unexpected error: %v", err)
		case opened == nil:
			return
		}
		tree, err := rootfs.Merge([]rootfs.LayerFacts{opened.Facts()})
		if err != nil && !errors.Is(err, registry.ErrContent) && !errors.Is(err, rootfs.ErrLimit) {
			t.Fatal(err)
		}
		if err == nil {
			for e := range tree.All() {
				_, _ = tree.Command(rootfs.ImageConfig{Cmd: []string{"/" + e.Path}})
			}
		}
	})
}

func unzstd(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	plain, err := r.DecodeAll(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}
