package rootfs

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/registry"
)

// Blobs opens layers. Reading one must fail at its end if its digest or size is wrong. A registry.Source is one.
type Blobs interface {
	Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// LayerSource is a layer and its source.
type LayerSource struct {
	Layer
	Source Blobs
}

// Scanned is the result for a layer: its facts or an error, as from ScanLayer.
type Scanned struct {
	Facts LayerFacts
	Err   error
	// Known says that the facts are from Options.Known, and that the layer was not read.
	Known bool
	// Read is how many compressed bytes were read, even if the layer failed.
	Read int64
}

// ScanAll reads layers, several at once, each distinct one only once, and none that Options.Known has. Results are in
// the order of layers; if one fails, the others are still read. Limits apply to each layer, but Limits.Memory to all
// of them together, and Limits.Ratio to both. The error is that of ctx.
func ScanAll(ctx context.Context, layers []LayerSource, o Options) ([]Scanned, error) {
	o = o.withDefaults()
	shared := scanWork{budget: &memoryBudget{limit: o.Limits.Memory}, totals: &totals{}, window: usualWindow}
	work := map[layerID]*Scanned{}
	var todo []LayerSource
	for _, l := range largestFirst(layers) {
		if readable(l.Descriptor) == nil && work[layerIDOf(l)] == nil {
			work[layerIDOf(l)] = &Scanned{}
			todo = append(todo, l)
		}
	}
	todo = known(todo, work, o)
	tasks := beginAll(ctx, todo)
	ahead := newPrefetch(ctx, todo)
	var wide sync.Mutex
	var g errgroup.Group
	g.SetLimit(o.Parallel)
	for n, l := range todo {
		s := work[layerIDOf(l)]
		g.Go(func() error {
			defer ahead.done(n)
			l.Source = ahead.blobs(n)
			ctx := tasks[n].In(ctx)
			*s = l.scan(ctx, o, shared)
			if unchecked, ok := errors.AsType[*UncheckedError](s.Err); ok && unchecked.Reason == Window {
				wide.Lock() // one at a time, since each needs as much memory as all others together
				defer wide.Unlock()
				alone := shared
				alone.window = maxWindow
				*s = l.scan(ctx, o, alone)
			}
			if tasks[n].End(registry.Copied, s.Err); s.Err == nil {
				l.reportSeen(*s, o)
			}
			return nil
		})
	}
	_ = g.Wait() // the failures are in the results
	results := make([]Scanned, len(layers))
	for i, l := range layers {
		results[i] = l.result(work[layerIDOf(l)])
	}
	return results, ctx.Err()
}

// beginAll begins a task for each layer, so that progress displays know the total.
func beginAll(ctx context.Context, layers []LayerSource) []*registry.Task {
	tasks := make([]*registry.Task, len(layers))
	for n, l := range layers {
		_, tasks[n] = registry.Begin(ctx, registry.Work{Doing: "checking", Name: "layer", Blob: l.Descriptor})
	}
	return tasks
}

// largestFirst sorts layers so that a large one does not start last.
func largestFirst(layers []LayerSource) []LayerSource {
	return slices.SortedStableFunc(slices.Values(layers), func(a, b LayerSource) int {
		return cmp.Compare(b.Descriptor.Size, a.Descriptor.Size)
	})
}

// layerID identifies layers with the same content: a descriptor with a wrong size must fail on its own.
type layerID struct {
	digest v1.Hash
	size   int64
	table  string
}

func layerIDOf(l LayerSource) layerID {
	return layerID{l.Descriptor.Digest, l.Descriptor.Size, TableDigest(l.Descriptor)}
}

func (l LayerSource) scan(ctx context.Context, o Options, work scanWork) (s Scanned) {
	if ctx.Err() != nil {
		return Scanned{Err: ctx.Err()}
	}
	if o.Compare {
		work.compare = newComparison(ctx, l, o, work.budget)
	}
	blob, err := l.Source.Blob(ctx, l.Descriptor)
	if err != nil {
		return Scanned{Err: err}
	}
	blob = registry.Counted(ctx, blob)
	defer func() { _ = blob.Close() }() // it was only read
	count := counter{r: blob}
	s.Facts, s.Err = scanAny(ctx, &count, l.Descriptor, o, work)
	s.Read = count.n
	return s
}

// known fills in the facts from Options.Known, and returns the layers without any.
func known(layers []LayerSource, work map[layerID]*Scanned, o Options) (unknown []LayerSource) {
	var g errgroup.Group
	g.SetLimit(o.Parallel)
	for _, l := range layers {
		s := work[layerIDOf(l)]
		g.Go(func() error {
			if s.Facts, s.Known = l.known(o); s.Known {
				l.reportSeen(*s, o)
			}
			return nil
		})
	}
	_ = g.Wait() // nothing fails
	return slices.DeleteFunc(layers, func(l LayerSource) bool { return work[layerIDOf(l)].Known })
}

// reportSeen passes a verified layer to Options.Seen.
func (l LayerSource) reportSeen(s Scanned, o Options) {
	if o.Seen != nil && l.checkDiffID(s.Facts) == nil {
		o.Seen(s)
	}
}

// known returns the facts from Options.Known, if they are complete enough for these options.
func (l LayerSource) known(o Options) (LayerFacts, bool) {
	if o.Known == nil {
		return LayerFacts{}, false
	}
	facts, ok := o.Known(l.Descriptor.Digest)
	compared := !o.Compare || TableDigest(l.Descriptor) == "" ||
		facts.Table != nil && facts.Table.Digest == TableDigest(l.Descriptor)
	return facts, ok && compared && facts.Schema == Schema && facts.Examiner == o.Examiner &&
		facts.Digest == l.Descriptor.Digest && facts.Size == l.Descriptor.Size
}

// counter counts the bytes that are read. One goroutine reads, and has ended before the count is used.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bytesRead returns the bytes read; 0 for layers that can't be read.
func (s *Scanned) bytesRead() int64 {
	if s == nil {
		return 0
	}
	return s.Read
}

// result returns the result for this layer: unlike others with the same content, it may have an unreadable media type
// or another diffID.
func (l LayerSource) result(s *Scanned) Scanned {
	err := readable(l.Descriptor)
	if err == nil {
		err = s.Err
	}
	if err == nil {
		err = l.checkDiffID(s.Facts)
	}
	if err != nil {
		return Scanned{Err: l.wrap(err), Read: s.bytesRead()}
	}
	return *s
}
