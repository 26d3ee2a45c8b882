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
	// smallLayer is the size, in bytes, up to which a layer is fetched before it is its turn to be unpacked. To wait for
	// the first byte takes longer than to transfer it. Larger ones keep the line busy, a few at a time.
	smallLayer = 1 << 20
	// fetchedBytes is how much of such layers may lie in memory.
	fetchedBytes = 4 << 20
)

// fetched are layers in the order in which they are unpacked. Small ones are asked for all at once, so that many of
// them cost one round trip.
type fetched struct {
	layers   []LayerSource
	arrivals []*arrival // nil: the layer is read from its source
	room     *semaphore.Weighted
}

// fetchAhead begins to fetch. Whoever unpacks a layer must say when that is done, which makes room for others.
func fetchAhead(ctx context.Context, layers []LayerSource) *fetched {
	f := &fetched{layers: layers, arrivals: make([]*arrival, len(layers)), room: semaphore.NewWeighted(fetchedBytes)}
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

// small reports whether a layer is fetched ahead. One with a table of contents is compared with it, by requests of its
// own.
func (l LayerSource) small() bool {
	return l.Descriptor.Size >= 0 && l.Descriptor.Size <= smallLayer && TableDigest(l.Descriptor) == ""
}

// source is where the layer is read from.
func (f *fetched) source(n int) Blobs {
	if a := f.arrivals[n]; a != nil {
		return a
	}
	return f.layers[n].Source
}

// done forgets the bytes of a layer.
func (f *fetched) done(n int) {
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

// arrival is a layer on its way into memory. It is complete when ready is closed.
type arrival struct {
	ready  chan struct{}
	room   bool  // it has room that must be given back
	failed error // why there is nothing to read
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
		_, err = io.CopyN(io.Discard, blob, 1) // what the source finds wrong is known at the end
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		a.end = err
	}
}

// Blob waits for the bytes, and can be called again.
func (a *arrival) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	<-a.ready
	if a.failed != nil {
		return nil, a.failed
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(a.data), ending{a.end})), nil
}

// ending is a reader that has nothing but its error.
type ending struct{ err error }

func (e ending) Read([]byte) (int, error) {
	if e.err == nil {
		return 0, io.EOF
	}
	return 0, e.err
}
