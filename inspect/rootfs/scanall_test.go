package rootfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/inspect/rootfs"
	"mtool/registry"
)

// progress counts the bytes read of each layer.
type progress struct {
	mu   sync.Mutex
	read map[v1.Hash]int64
}

func (p *progress) Begin(*registry.Task) {}

func (p *progress) End(t *registry.Task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read[t.Blob.Digest] = max(t.Moved(), p.read[t.Blob.Digest])
}

// blobs holds layers in memory, and counts how often each is opened and how many are open at once.
type blobs struct {
	mu         sync.Mutex
	data       map[v1.Hash][]byte
	opened     map[v1.Hash]int
	open, most int
	want       int           // the number of open layers at which wait is closed
	wait       chan struct{} // reads wait for it; nil: they don't wait
}

func newBlobs(t *testing.T, layers ...[]byte) (b *blobs, all []rootfs.LayerSource) {
	t.Helper()
	b = &blobs{data: map[v1.Hash][]byte{}, opened: map[v1.Hash]int{}}
	for _, l := range layers {
		d := v1.Descriptor{Digest: digestOf(t, l), Size: int64(len(l)), MediaType: types.OCILayer}
		b.data[d.Digest] = l
		all = append(all, rootfs.LayerSource{Layer: rootfs.Layer{Descriptor: d}, Source: b})
	}
	return b, all
}

func (b *blobs) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.data[d.Digest]
	if !ok || int64(len(data)) != d.Size {
		return nil, registry.ErrNotFound
	}
	b.opened[d.Digest]++
	b.open++
	if b.most = max(b.most, b.open); b.most == b.want && b.wait != nil {
		close(b.wait)
		b.wait = nil
	}
	return &openBlob{Reader: bytes.NewReader(data), b: b, ctx: ctx, wait: b.wait}, nil
}

type openBlob struct {
	*bytes.Reader
	b    *blobs
	ctx  context.Context
	wait chan struct{}
}

func (o *openBlob) Read(p []byte) (int, error) {
	if o.wait != nil {
		select {
		case <-o.wait:
		case <-o.ctx.Done():
			return 0, o.ctx.Err()
		}
	}
	return o.Reader.Read(p)
}

func (o *openBlob) Close() error {
	o.b.mu.Lock()
	defer o.b.mu.Unlock()
	o.b.open--
	return nil
}

func TestScanAll(t *testing.T) {
	t.Parallel()
	one, two := gzipped(t, tarOf(t, "elf one arm64")), tarOf(t, "elf two amd64", "plain x")
	b, layers := newBlobs(t, one, two, one)
	broken, missing, foreign, lying := layers[0], layers[0], layers[0], layers[0]
	broken.DiffID = layers[1].Descriptor.Digest
	missing.Descriptor.Digest = v1.Hash{Algorithm: "sha256", Hex: "00"}
	foreign.Descriptor.MediaType = types.OCIRestrictedLayer
	lying.Descriptor.Size++
	layers = append(layers, broken, missing, foreign, lying)
	watched := &progress{read: map[v1.Hash]int64{}}
	got, err := rootfs.ScanAll(registry.WithProgress(t.Context(), watched), layers, rootfs.Options{})
	if err != nil || len(got) != len(layers) {
		t.Fatalf("got %d results (%v), want %d", len(got), err, len(layers))
	}
	for i, name := range []string{"one", "two", "one"} {
		f := got[i].Facts
		if got[i].Err != nil || len(f.Files) != 1 || f.Files[0].Path != name || f.Digest != layers[i].Descriptor.Digest {
			t.Errorf("layer %d: got %+v (%v), want the file %s", i, f.Files, got[i].Err, name)
		}
	}
	for i, want := range []error{registry.ErrContent, registry.ErrNotFound, rootfs.ErrUnchecked, registry.ErrNotFound} {
		if r := got[3+i]; !errors.Is(r.Err, want) || r.Facts.Schema != "" {
			t.Errorf("layer %d: got %v and facts %q, want %v and none", 3+i, r.Err, r.Facts.Schema, want)
		}
	}
	for _, l := range layers[:2] {
		if n := b.opened[l.Descriptor.Digest]; n != 1 {
			t.Errorf("layer %s was opened %d times, want once", l.Descriptor.Digest, n)
		}
		if n := watched.read[l.Descriptor.Digest]; n != l.Descriptor.Size {
			t.Errorf("progress of %s ended at %d bytes of %d", l.Descriptor.Digest, n, l.Descriptor.Size)
		}
	}
	if b.open != 0 {
		t.Errorf("%d blobs were left open", b.open)
	}
}

func TestScanAllAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var small [][]byte
	for n := range 40 {
		small = append(small, tarOf(t, fmt.Sprintf("plain f%d", n)))
	}
	large := func(name string) []byte { return append(tarOf(t, "plain "+name), make([]byte, 2<<20)...) }
	for name, c := range map[string]struct {
		layers [][]byte
		want   int
	}{
		"large ones, two at a time": {[][]byte{large("a"), large("b"), large("c"), large("d")}, 2},
		"any number of small ones":  {small, len(small)},
		"small ones and large ones": {append(small, large("a"), large("b"), large("c")), len(small) + 2},
	} {
		b, layers := newBlobs(t, c.layers...)
		b.want, b.wait = c.want, make(chan struct{}) // no read returns before all of them are open
		got, err := rootfs.ScanAll(ctx, layers, rootfs.Options{Parallel: 2})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, r := range got {
			if n := b.opened[layers[i].Descriptor.Digest]; r.Err != nil || n != 1 {
				t.Errorf("%s: layer %d was opened %d times: %v", name, i, n, r.Err)
			}
		}
	}
	b, layers := newBlobs(t, large("a"), large("b"), large("c"))
	if _, err := rootfs.ScanAll(ctx, layers, rootfs.Options{Parallel: 1}); err != nil || b.most != 1 {
		t.Errorf("large ones, one at a time: %d at once (%v)", b.most, err)
	}
}

// The memory for layers that are not unpacked yet is limited.
func TestScanAllPrefetchIsLimited(t *testing.T) {
	t.Parallel()
	var many [][]byte
	for n := range 24 {
		many = append(many, append(tarOf(t, fmt.Sprintf("plain f%d", n)), make([]byte, 1<<20-4096)...))
	}
	synctest.Test(t, func(t *testing.T) {
		b, layers := newBlobs(t, many...)
		b.wait = make(chan struct{}) // no read returns
		ended := make(chan error)
		go func() {
			_, err := rootfs.ScanAll(t.Context(), layers, rootfs.Options{})
			ended <- err
		}()
		synctest.Wait()
		b.mu.Lock()
		if b.open != 4 {
			t.Errorf("%d of 24 layers of 1 MiB are fetched at once, want 4", b.open)
		}
		b.mu.Unlock()
		close(b.wait)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestScanAllKnown(t *testing.T) {
	t.Parallel()
	plain := tarOf(t, "elf one arm64")
	b, layers := newBlobs(t, gzipped(t, plain))
	l := layers[0]
	first, err := rootfs.ScanAll(t.Context(), layers, rootfs.Options{Examiner: "binary/1"})
	if err != nil || first[0].Err != nil || first[0].Known {
		t.Fatalf("got %+v (%v)", first, err)
	}
	right := first[0].Facts
	other, old, short := right, right, right
	other.Digest, old.Examiner, short.Size = digestOf(t, plain), "binary/0", 1
	tests := []struct {
		name  string
		facts rootfs.LayerFacts
		known bool
	}{
		{"right", right, true},
		{"of another layer", other, false},
		{"of an older examiner", old, false},
		{"of another size", short, false},
		{"none", rootfs.LayerFacts{}, false},
	}
	for _, tt := range tests {
		before := b.opened[l.Descriptor.Digest]
		o := rootfs.Options{
			Examiner: "binary/1",
			Known:    func(v1.Hash) (rootfs.LayerFacts, bool) { return tt.facts, tt.facts.Schema != "" },
		}
		got, err := rootfs.ScanAll(t.Context(), layers, o)
		if err != nil || got[0].Err != nil || got[0].Known != tt.known || got[0].Facts.Digest != right.Digest {
			t.Errorf("%s: got %+v (%v), want known: %t", tt.name, got, err, tt.known)
		}
		if opened := b.opened[l.Descriptor.Digest] - before; (opened == 0) != tt.known {
			t.Errorf("%s: the layer was opened %d times", tt.name, opened)
		}
	}
	o := rootfs.Options{Examiner: "binary/1", Known: func(v1.Hash) (rootfs.LayerFacts, bool) { return right, true }}
	l.DiffID = l.Descriptor.Digest
	if got, _ := rootfs.ScanAll(t.Context(), []rootfs.LayerSource{l}, o); !errors.Is(got[0].Err, registry.ErrContent) {
		t.Errorf("known, but with another diffID: got %v, want %v", got[0].Err, registry.ErrContent)
	}
	l.Descriptor.MediaType += "+encrypted"
	if got, _ := rootfs.ScanAll(t.Context(), []rootfs.LayerSource{l}, o); !errors.Is(got[0].Err, rootfs.ErrUnchecked) {
		t.Errorf("known, but now encrypted: got %v, want %v", got[0].Err, rootfs.ErrUnchecked)
	}
}

func TestScanAllShares(t *testing.T) {
	t.Parallel()
	_, layers := newBlobs(t, tarOf(t, many("elf")...), tarOf(t, many("lib")...))
	o := rootfs.Options{Parallel: 1, Limits: rootfs.Limits{Memory: 100_000}}
	for i := range layers {
		if got, err := rootfs.ScanAll(t.Context(), layers[i:i+1], o); err != nil || got[0].Err != nil {
			t.Errorf("layer %d alone: %v %v", i, got[0].Err, err)
		}
	}
	got, err := rootfs.ScanAll(t.Context(), layers, o)
	if err != nil || errors.Is(got[0].Err, rootfs.ErrLimit) == errors.Is(got[1].Err, rootfs.ErrLimit) {
		t.Errorf("both: got %v and %v, want one of them over the limit (%v)", got[0].Err, got[1].Err, err)
	}
}

func TestScanAllStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, layers := newBlobs(t, tarOf(t, "plain a"))
	got, err := rootfs.ScanAll(ctx, layers, rootfs.Options{})
	if !errors.Is(err, context.Canceled) || !errors.Is(got[0].Err, context.Canceled) || len(b.opened) != 0 {
		t.Errorf("got %v, %+v and %d blobs opened", err, got, len(b.opened))
	}
}
