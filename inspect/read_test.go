package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/registrytest"
)

func TestReadList(t *testing.T) {
	t.Parallel()
	amd64, arm, arm64 := image("linux/amd64"), image("linux/arm/v6"), image("linux/arm64")
	b := registrytest.List(registrytest.ListSpec{
		Entries: []registrytest.Entry{entry(arm64), entry(amd64), entry(arm)}, Attested: true,
		Annotations: map[string]string{"a": "b"},
	})
	r := readBuilt(t, b)
	if r.List == nil || r.List.Annotations["a"] != "b" || len(r.List.Members) != 4 {
		t.Errorf("list facts are %+v", r.List)
	}
	if len(r.Images) != 3 || len(r.Others) != 0 {
		t.Fatalf("got %d images and %d others, want 3 and none", len(r.Images), len(r.Others))
	}
	for n, want := range []registrytest.Built{arm64, amd64, arm} {
		i := r.Images[n]
		if i.Err != nil || i.Descriptor.Digest != want.Digest() || !platform.Equal(i.Config, want.Platform) {
			t.Errorf("image %d is %v of %s, error %v, want %v", n, i.Config, i.Descriptor.Digest, i.Err, want.Platform)
		}
		if string(i.Manifest.Body) != string(want.Manifest.Body) || len(i.Blobs()) != 2 || i.Size != i.Layers[0].Size {
			t.Errorf("image %d: manifest, blobs %v or size %d are wrong", n, i.Blobs(), i.Size)
		}
		if len(i.Attestations) != 1 || len(i.Attestations[0].Blobs) != 2 || i.Attestations[0].Err != nil {
			t.Errorf("image %d has the attestations %+v, want one with config and layer", n, i.Attestations)
		}
	}
}

// Rows are kept byte for byte, unknown members and blanks included.
func TestReadKeepsRows(t *testing.T) {
	t.Parallel()
	b := image("linux/amd64")
	row := fmt.Sprintf(`{ "future" : [1.0, {"x":null}], "digest":%q,
	"size": %d,"mediaType":%q, "platform":{"os":"linux","architecture":"amd64", "cores" : 4}}`,
		b.Digest(), len(b.Manifest.Body), b.Manifest.MediaType)
	obj := b.Object(registryRef())
	obj.Root = manifestOf(types.OCIImageIndex, `{"schemaVersion":2,"later":true,"manifests":[ `+row+` ]}`)
	r := read(t, obj)
	if len(r.Images) != 1 || string(r.Images[0].Row) != row {
		t.Errorf("row is %s, want %s", r.Images[0].Row, row)
	}
	if string(r.List.Members["later"]) != "true" {
		t.Errorf("members are %v", r.List.Members)
	}
}

func TestReadSingle(t *testing.T) {
	t.Parallel()
	b := image("linux/arm/v6")
	r := readBuilt(t, b)
	if r.List != nil || len(r.Images) != 1 {
		t.Fatalf("list is %v, %d images, want none and one", r.List, len(r.Images))
	}
	i := r.Images[0]
	if i.Err != nil || platform.Format(i.Claim()) != "linux/arm/v6" || i.Descriptor.Digest != b.Digest() {
		t.Errorf("got %v of %s, error %v", i.Claim(), i.Descriptor.Digest, i.Err)
	}
	wantText(t, string(i.Row), `"variant":"v6"`)
	wantText(t, string(i.Row), b.Digest().String())
}

func TestReadFetchesOnce(t *testing.T) {
	t.Parallel()
	amd64 := image("linux/amd64")
	nested := registrytest.ListOf(amd64)
	obj := list(entry(amd64), registrytest.Entry{Built: amd64, Claim: claim("linux/arm64")},
		entry(nested)).Object(registryRef())
	s := &source{Source: obj.Source}
	obj.Source = s
	if r := read(t, obj); len(r.Images) != 3 {
		t.Errorf("%d images, want 3 rows", len(r.Images))
	}
	if len(s.requests) != 3 {
		t.Errorf("%d contents requested, want the manifest, its config and the nested list", len(s.requests))
	}
	for digest, n := range s.requests {
		if n != 1 {
			t.Errorf("%s requested %d times, want once", digest, n)
		}
	}
}

// gate blocks requests until as many as want have arrived.
type gate struct {
	registry.Source
	waiting atomic.Int32
	want    int32
	open    chan struct{}
}

func (g *gate) wait() error {
	if g.waiting.Add(1) == g.want {
		close(g.open)
	}
	select {
	case <-g.open:
		return nil
	case <-time.After(5 * time.Minute):
		return errors.New("the other requests did not arrive")
	}
}

func (g *gate) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if err := g.wait(); err != nil {
		return registry.Manifest{}, err
	}
	return g.Source.Manifest(ctx, d)
}

func TestReadIsParallel(t *testing.T) {
	t.Parallel()
	var entries []registrytest.Entry
	for n := range 20 {
		entries = append(entries, entry(seeded("linux/amd64", fmt.Sprint(n))))
	}
	obj := list(entries...).Object(registryRef())
	obj.Source = &gate{Source: obj.Source, want: 20, open: make(chan struct{})}
	for _, i := range read(t, obj).Images {
		if i.Err != nil {
			t.Fatal(i.Err)
		}
	}
}

func TestReadRefusesRoots(t *testing.T) {
	t.Parallel()
	honest := image("linux/amd64")
	for name, c := range map[string]struct {
		root registry.Manifest
		text string
	}{
		"not JSON":  {manifestOf(types.OCIImageIndex, `<html>`), "not a manifest"},
		"schema 1":  {manifestOf(types.DockerManifestSchema1Signed, `{"schemaVersion":1,"name":"demo"}`), "schema 1"},
		"type lie":  {manifestOf(types.DockerManifestSchema2, string(honest.Manifest.Body)), "the manifest itself"},
		"no config": {manifestOf(types.OCIManifestSchema1, `{"schemaVersion":2}`), "neither a config nor entries"},
		"two kinds": {manifestOf(types.OCIImageIndex, `{"schemaVersion":2,"manifests":[],"layers":[]}`), "layers of an image"},
		"two kinds2": {
			manifestOf(types.OCIManifestSchema1, `{"schemaVersion":2,"manifests":[],"config":{}}`),
			"manifests of a list",
		},
		"a bad blob": {manifestOf(types.OCIManifestSchema1, `{"config":{"mediaType":"x","size":1}}`), "blob"},
		"a layer":    {manifestOf(types.OCILayer, `{"config":{}}`), "neither that of an image nor that of a list"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := inspect.Read(t.Context(), registry.Object{Ref: registryRef(), Root: c.root, Source: honest.Source()})
			wantIs(t, err, registry.ErrContent)
			wantText(t, err.Error(), c.text)
		})
	}
}

func TestReadStopsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := inspect.Read(ctx, list(entry(image("linux/amd64"))).Object(registryRef()))
	wantIs(t, err, context.Canceled)
	_, err = inspect.Read(ctx, image("linux/amd64").Object(registryRef()))
	wantIs(t, err, context.Canceled)
}
