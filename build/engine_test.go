package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"mtool/registry"
)

// repack compresses plain layers to the same bytes each time and keeps compressed ones.
func TestRepack(t *testing.T) {
	t.Parallel()
	plain, packed := bytes.Repeat([]byte("layer "), 1000), []byte("\x1f\x8b packed already")
	from := memory{}
	m := v1.Manifest{
		SchemaVersion: 2, Config: from.put(types.DockerConfigJSON, []byte(`{"os":"linux"}`)),
		Layers: []v1.Descriptor{from.put(types.DockerUncompressedLayer, plain), from.put(types.OCILayer, packed)},
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	root, err := registry.NewManifest(types.OCIManifestSchema1, body)
	if err != nil {
		t.Fatal(err)
	}
	var digests []v1.Hash
	dir := t.TempDir()
	for range 2 {
		d, err := repack(t.Context(), registry.Object{Root: root, Source: from}, dir)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, d.Digest)
	}
	if digests[0] != digests[1] {
		t.Errorf("two runs: %v", digests)
	}
	body, err = os.ReadFile(filepath.Join(dir, digests[0].Hex))
	if err != nil {
		t.Fatal(err)
	}
	var out v1.Manifest
	if err := json.Unmarshal(body, &out); err != nil || len(out.Layers) != 2 ||
		out.Layers[1].Digest != m.Layers[1].Digest {
		t.Fatalf("%v: %s", err, body)
	}
	f, err := os.Open(filepath.Join(dir, out.Layers[0].Digest.Hex))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("the layer has other bytes: %v", err)
	}
	if _, err := repack(t.Context(), registry.Object{Root: root, Source: memory{}}, t.TempDir()); !errors.Is(err,
		registry.ErrNotFound) {
		t.Errorf("missing blobs: %v", err)
	}
}

// memory is a Source of blobs.
type memory map[v1.Hash][]byte

func (m memory) put(t types.MediaType, b []byte) v1.Descriptor {
	h := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(b))}
	m[h] = b
	return v1.Descriptor{MediaType: t, Digest: h, Size: int64(len(b))}
}

func (m memory) Manifest(context.Context, v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, registry.ErrNotFound
}

func (m memory) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	b, ok := m[d.Digest]
	if !ok {
		return nil, registry.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}
