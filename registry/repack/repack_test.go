package repack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
	"mtool/registry/compression"
	"mtool/registry/registrytest"
	"mtool/registry/repack"
)

// layerTar has what tables of contents list: folders, links, an empty file, small files and one of several pieces.
func layerTar() []byte {
	return registrytest.LayerTar("dir usr/", "link bin usr/bin", "plain etc/empty", "elf usr/bin/app arm64",
		"hard usr/bin/other usr/bin/app", "noise usr/big 300", "gone etc/old")
}

func pack(t *testing.T, name string, layer []byte) (repack.Layer, []byte) {
	t.Helper()
	f, err := repack.ParseFormat(name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	l, err := f.Pack(t.Context(), &b, bytes.NewReader(layer))
	if err != nil {
		t.Fatal(name, err)
	}
	if l.Descriptor.Digest != registrytest.Hash(b.Bytes()) || l.Descriptor.Size != int64(b.Len()) {
		t.Errorf("%s: the layer is described as %+v", name, l.Descriptor)
	}
	return l, b.Bytes()
}

func unpack(t *testing.T, layer []byte) []byte {
	t.Helper()
	r, err := compression.Open(compression.Name(layer[:compression.HeadSize]), bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Each format is made of each other one, and unpacks to the same tar; eStargz to one with a table in it.
func TestPack(t *testing.T) {
	t.Parallel()
	plain := layerTar()
	want := registrytest.Hash(plain)
	for _, name := range []string{"gzip", "gzip:9", "zstd", "zstd:9", "zstd:chunked", "zstd:chunked:1", "estargz", "estargz:1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, packed := pack(t, name, plain)
			if l.WasDiffID != want {
				t.Errorf("the layer unpacked to %s", l.WasDiffID)
			}
			if got := registrytest.Hash(unpack(t, packed)); got != l.DiffID || (got == want) == strings.HasPrefix(name, "estargz") {
				t.Errorf("it unpacks to %s, and is said to unpack to %s", got, l.DiffID)
			}
			for _, other := range repack.Names() {
				_, of := pack(t, other, plain)
				if other != repack.EStargz {
					if _, again := pack(t, name, of); !bytes.Equal(again, packed) {
						t.Errorf("made of %s, it has other bytes", other)
					}
				}
			}
		})
	}
}

// The bytes do not depend on the machine.
func TestSameBytesEverywhere(t *testing.T) { //nolint:paralleltest // it changes the number of processors
	plain := layerTar()
	processors := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(processors)
	for _, name := range repack.Names() {
		_, want := pack(t, name, plain)
		for _, n := range []int{1, 3} {
			runtime.GOMAXPROCS(n)
			if _, got := pack(t, name, plain); !bytes.Equal(got, want) {
				t.Errorf("%s has other bytes with %d processors", name, n)
			}
		}
		runtime.GOMAXPROCS(processors)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	plain := layerTar()
	packed := registrytest.Gzip(plain)
	gone := errors.New("the registry is gone")
	for _, name := range repack.Names() {
		f := repack.Format{Name: name}
		for what, r := range map[string]io.Reader{
			"cut off": bytes.NewReader(packed[:len(packed)-9]), "a longer one": bytes.NewReader(append(slices.Clone(packed), "more"...)),
			"changed": bytes.NewReader(append(append(slices.Clone(packed[:200]), 0, 0, 0, 0), packed[204:]...)),
		} {
			if _, err := f.Pack(t.Context(), io.Discard, r); !errors.Is(err, registry.ErrContent) {
				t.Errorf("%s: %s is %v", name, what, err)
			}
		}
		r := io.MultiReader(bytes.NewReader(packed[:300]), iotest.ErrReader(gone))
		if _, err := f.Pack(t.Context(), io.Discard, r); !errors.Is(err, gone) || errors.Is(err, registry.ErrContent) {
			t.Errorf("%s: a source that ends is %v", name, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := f.Pack(ctx, io.Discard, bytes.NewReader(packed)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: interrupted, it is %v", name, err)
		}
		full := errors.New("the disk is full")
		if _, err := f.Pack(t.Context(), failing{full}, bytes.NewReader(packed)); !errors.Is(err, full) {
			t.Errorf("%s: on a full disk it is %v", name, err)
		}
	}
	for _, name := range []string{repack.ZstdChunked, repack.EStargz} { // they list the files of what must be a tar
		f := repack.Format{Name: name}
		if _, err := f.Pack(t.Context(), io.Discard, strings.NewReader(strings.Repeat("no tar ", 200))); !errors.Is(err, registry.ErrContent) {
			t.Errorf("%s: of what is no tar it makes %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]repack.Format{
		"gzip": {Name: "gzip"}, "gzip:9": {Name: "gzip", Level: 9}, "zstd": {Name: "zstd"}, "zstd:22": {Name: "zstd", Level: 22},
		"zstd:chunked": {Name: "zstd:chunked"}, "zstd:chunked:3": {Name: "zstd:chunked", Level: 3},
		"estargz:1": {Name: "estargz", Level: 1},
	} {
		got, err := repack.ParseFormat(in)
		if err != nil || got != want || got.String() != in {
			t.Errorf("%q is %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "xz", "gzip:0", "gzip:10", "gzip:-1", "gzip:fast", "gzip:", "zstd:23", "zstd:chunked:23", "zstd:chunked:", "gzipped",
		"GZIP", "zstd:3:4", "estargz:99",
	} {
		if got, err := repack.ParseFormat(in); !errors.Is(err, registry.ErrUsage) {
			t.Errorf("%q is %+v, %v", in, got, err)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	chunked, _ := pack(t, repack.ZstdChunked, layerTar())
	stargz, _ := pack(t, repack.EStargz, layerTar())
	layers := map[string]v1.Descriptor{
		"plain": {MediaType: types.OCIUncompressedLayer}, "gzip": {MediaType: types.OCILayer},
		"docker": {MediaType: types.DockerLayer}, "zstd": {MediaType: types.OCILayerZStd},
		"zstd:chunked": chunked.Descriptor, "estargz": stargz.Descriptor,
	}
	for name, want := range map[string][]string{
		repack.Gzip: {"docker", "estargz", "gzip"}, repack.Zstd: {"zstd", "zstd:chunked"}, repack.ZstdChunked: {"zstd:chunked"},
		repack.EStargz: {"estargz"},
	} {
		var got []string
		for _, layer := range slices.Sorted(maps.Keys(layers)) {
			if (repack.Format{Name: name}).Holds(layers[layer]) {
				got = append(got, layer)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v hold it", name, got)
		}
	}
	for _, d := range []v1.Descriptor{
		{MediaType: types.OCILayer, URLs: []string{"https://example.com"}},
		{MediaType: types.DockerForeignLayer},
		{MediaType: types.OCILayer + "+encrypted"},
		{MediaType: "application/wasm"},
	} {
		if repack.Packable(d) {
			t.Errorf("%+v is packed", d)
		}
	}
}
