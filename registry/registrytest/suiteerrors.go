package registrytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func notFound(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64})
	check := func(content string) {
		t.Helper()
		if _, err := p.Resolve(t.Context(), "nope"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: resolving a tag: %v, want ErrNotFound", content, err)
		}
		if _, err := p.Source.Manifest(t.Context(), b.Manifest.Descriptor()); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: reading a manifest: %v, want ErrNotFound", content, err)
		}
		if _, err := read(t.Context(), p.Source, b.Order[0]); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: reading a blob: %v, want ErrNotFound", content, err)
		}
	}
	check("empty")
	push(t, p, Image(ImageSpec{Platform: arm64}), "v1")
	check("with another image")
}

// liar is a source that changes every blob and does not verify it, like a broken disk or registry.
type liar struct {
	Built
	change func([]byte) []byte
}

func (l liar) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	return l.Source().Manifest(ctx, d)
}

func (l liar) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.change(l.Blobs[d.Digest]))), nil
}

func corruptSource(t *testing.T, p Endpoint) {
	wantRefused(t, p, flip)
}

func truncatedSource(t *testing.T, p Endpoint) {
	wantRefused(t, p, func(data []byte) []byte { return data[:len(data)/2] })
}

func wantRefused(t *testing.T, p Endpoint, change func([]byte) []byte) {
	t.Helper()
	b := Image(ImageSpec{Platform: amd64, Padding: 3000})
	for _, d := range b.Order {
		if _, err := p.Target.PutBlob(t.Context(), d, liar{b, change}); err == nil {
			t.Errorf("blob %s was accepted with other bytes", d.Digest)
		}
		if data, err := read(t.Context(), p.Source, d); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("refused blob %s can be read: %d bytes, %v", d.Digest, len(data), err)
		}
	}
}

func putAfterFailure(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64})
	if _, err := p.Target.PutBlob(t.Context(), b.Order[0], liar{b, flip}); err == nil {
		t.Error("corrupt bytes were accepted")
	}
	push(t, p, b, "v1")
	same(t, p, b, "v1")
}

func manifestFirst(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64})
	wantTagRefused(t, p, b.Manifest)
}

func listFirst(t *testing.T, p Endpoint) {
	wantTagRefused(t, p, ListOf(Image(ImageSpec{Platform: amd64})).Manifest)
}

func wantTagRefused(t *testing.T, p Endpoint, m registry.Manifest) {
	t.Helper()
	if err := p.Target.PutTag(t.Context(), "v1", m); err == nil {
		t.Error("a manifest was accepted without its content")
	}
	if _, err := p.Resolve(t.Context(), "v1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("resolving the tag: got %v, want ErrNotFound", err)
	}
}

func wrongSize(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64})
	push(t, p, b, "v1")
	for _, by := range []int64{-1, 1} {
		blob, manifest := b.Order[0], b.Manifest.Descriptor()
		blob.Size += by
		manifest.Size += by
		if _, err := read(t.Context(), p.Source, blob); !errors.Is(err, registry.ErrContent) {
			t.Errorf("a blob whose size is off by %d: %v", by, err)
		}
		if _, err := p.Source.Manifest(t.Context(), manifest); !errors.Is(err, registry.ErrContent) {
			t.Errorf("a manifest whose size is off by %d: %v", by, err)
		}
	}
}

func concurrent(t *testing.T, p Endpoint) {
	var wg sync.WaitGroup
	tags := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	image := func(tag string) Built {
		return Image(ImageSpec{Platform: amd64, Seed: tag, SharedLayer: "shared", Layers: 2, Padding: 20_000})
	}
	for _, tag := range tags {
		wg.Go(func() {
			if err := image(tag).Push(t.Context(), p.Target, tag); err != nil {
				t.Errorf("pushing %q concurrently: %v", tag, err)
			}
		})
	}
	wg.Wait()
	for _, tag := range tags {
		same(t, p, image(tag), tag)
	}
}

func cancelled(t *testing.T, p Endpoint) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := Image(ImageSpec{Platform: amd64})
	if err := b.Push(ctx, p.Target, "v1"); !errors.Is(err, context.Canceled) {
		t.Errorf("pushing with a cancelled context: %v", err)
	}
	if _, err := p.Resolve(t.Context(), "v1"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the tag after a cancelled push: %v", err)
	}
}
