package rootfs

import (
	"bytes"
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/semaphore"
)

const (
	// smallLayer is the size, in bytes, up to which a layer is fetched before its turn to be unpacked, since waiting for
	// its first byte takes longer than transferring it. Larger layers use the network fully, a few at a time.
	smallLayer = 1 << 20
	// fetchedBytes limits how much of such layers is in memory.
	fetchedBytes = 4 << 20
)

// prefetch has layers in the order in which they are unpacked. Small ones are requested all at once, so that many of
// them cost one round trip.
type prefetch struct {
	layers   []LayerSource
	arrivals []*arrival // nil: the layer is read from its source
	room     *semaphore.Weighted
}

// newPrefetch starts fetching. The caller must call done after unpacking a layer, which makes room for others.
func newPrefetch(ctx context.Context, layers []LayerSource) *prefetch {
	f := &prefetch{layers: layers, arrivals: make([]*arrival, len(layers)), room: semaphore.NewWeighted(fetchedBytes)}
	for n, l := range layers {
		if l.small() {
			f.arrivals[n] = &arrival{ready: make(chan struct{})}
		}
	}
	go func() {
		for n, a := range f.arrivals {
			if a == nil {
				continue
			}
			if a.failed = f.room.Acquire(ctx, layers[n].Descriptor.Size); a.failed != nil {
				close(a.ready)
				continue
			}
			a.room = true
			go a.fetch(ctx, layers[n])
		}
	}()
	return f
}

// small reports whether a layer is fetched ahead. One with a table of contents needs its own requests, to be compared
// with it.
func (l LayerSource) small() bool {
	return l.Descriptor.Size >= 0 && l.Descriptor.Size <= smallLayer && TableDigest(l.Descriptor) == ""
}

// blobs returns the source from which the layer is read.
func (f *prefetch) blobs(n int) Blobs {
	if a := f.arrivals[n]; a != nil {
		return a
	}
	return f.layers[n].Source
}

// done drops the bytes of a layer.
func (f *prefetch) done(n int) {
	a := f.arrivals[n]
	if a == nil {
		return
	}
	<-a.ready
	a.data = nil
	if a.room {
		f.room.Release(f.layers[n].Descriptor.Size)
	}
}

// arrival is a layer that is being fetched into memory. It is complete when ready is closed.
type arrival struct {
	ready  chan struct{}
	room   bool  // it has acquired room, which must be released
	failed error // why nothing can be read
	data   []byte
	end    error // what reading ended with; nil: the end of the layer
}

func (a *arrival) fetch(ctx context.Context, l LayerSource) {
	defer close(a.ready)
	blob, err := l.Source.Blob(ctx, l.Descriptor)
	if err != nil {
		a.failed = err
		return
	}
	defer blob.Close()
	a.data = make([]byte, l.Descriptor.Size)
	n, err := io.ReadFull(blob, a.data)
	if a.data = a.data[:n]; err == nil {
		_, err = io.CopyN(io.Discard, blob, 1) // the source verifies the blob at its end
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		a.end = err
	}
}

// Blob waits for the bytes. It can be called several times.
func (a *arrival) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	<-a.ready
	if a.failed != nil {
		return nil, a.failed
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(a.data), errReader{a.end})), nil
}

// errReader is a reader that only returns its error, or io.EOF.
type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) {
	if e.err == nil {
		return 0, io.EOF
	}
	return 0, e.err
}
