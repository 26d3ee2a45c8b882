package compose_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/repack"
)

// repacking packs all layers of b.
func repacking(t *testing.T, format string, b registrytest.Built) compose.Repacking {
	t.Helper()
	r := compose.Repacking{
		Format: repack.Format{Name: format}, Layers: map[v1.Hash]repack.Layer{}, From: ref(t, "store:packed:v1"),
		Source: b.Object(ref(t, "store:packed:v1")).Source,
	}
	for _, layer := range read(t, b, "r.example/demo:v1").Images[0].Layers {
		var packed bytes.Buffer
		l, err := r.Format.Pack(t.Context(), &packed, bytes.NewReader(b.Blobs[layer.Digest]))
		if err != nil {
			t.Fatal(err)
		}
		r.Layers[layer.Digest] = l
	}
	return r
}

func TestRepack(t *testing.T) {
	t.Parallel()
	for format, sameConfig := range map[string]bool{
		repack.Zstd: true, repack.ZstdChunked: true, repack.EStargz: false,
	} {
		for _, b := range []registrytest.Built{image("arm64"), dockerImage("arm64")} {
			was := list(t, "demo:v1", sourceOf(t, b, "r.example/demo:v1"))
			l, changes, err := was.Repack(repacking(t, format, b))
			if err != nil || actions(changes) != "edited" {
				t.Fatal(format, changes, err)
			}
			now := l.Entries[0].Image
			var stated struct {
				RootFS struct {
					DiffIDs []string `json:"diff_ids"`
				} `json:"rootfs"`
			}
			if err := json.Unmarshal(now.ConfigBody, &stated); err != nil || len(stated.RootFS.DiffIDs) != len(now.Layers) {
				t.Errorf("%s: %v in %s", format, err, now.ConfigBody)
			}
			if same := now.ConfigOf.Digest == was.Entries[0].Image.ConfigOf.Digest; same != sameConfig {
				t.Errorf("%s: it has the same config: %t", format, same)
			}
			if m, err := l.Encode(); err != nil || m.MediaType != "application/vnd.oci.image.index.v1+json" {
				t.Errorf("%s: %s, %v", format, m.Body, err)
			}
		}
	}
}

// A layer that does not unpack to what the config says is not packed again: the result would hide it.
func TestRepackLyingLayer(t *testing.T) {
	t.Parallel()
	r := repacking(t, repack.Zstd, image("arm64"))
	for digest, l := range r.Layers {
		l.WasDiffID = digest // the compressed layer's
		r.Layers[digest] = l
	}
	l := list(t, "demo:v1", sourceOf(t, image("arm64"), "r.example/demo:v1"))
	for _, change := range []func(compose.Repacking) (compose.List, []compose.Change, error){l.Repack, l.AddCopies} {
		if _, _, err := change(r); !errors.Is(err, inspect.ErrMismatch) {
			t.Error(err)
		}
	}
}

// The second copies come last, and a plan takes their layers from where they were packed.
func TestAddCopies(t *testing.T) {
	t.Parallel()
	b := image("arm64")
	l, changes, err := list(t, "demo:v1", sourceOf(t, b, "r.example/demo:v1")).AddCopies(repacking(t, repack.Zstd, b))
	if err != nil || actions(changes) != "added" || len(l.Entries) != 2 {
		t.Fatal(changes, err)
	}
	plan, err := compose.NewPlan(l, []registry.Ref{ref(t, "other.example/demo:v1")})
	if err != nil {
		t.Fatal(err)
	}
	from := map[registry.Transport]int{}
	for _, blob := range plan.Uploads[0].Blobs {
		from[blob.From.Transport]++
	}
	if from[registry.TransportStore] != 1 || from[registry.TransportRegistry] != 2 {
		t.Errorf("blobs from %v", from)
	}
	again, changes, err := l.AddCopies(repacking(t, repack.ZstdChunked, b))
	if err != nil || len(changes) > 0 || !slices.EqualFunc(again.Entries, l.Entries, func(a, b compose.Entry) bool {
		return a.Digest() == b.Digest()
	}) {
		t.Errorf("%v, %v", changes, err)
	}
}
