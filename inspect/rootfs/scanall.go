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

// Blobs opens layers, and fails at the end of one whose digest or size is wrong: a registry.Source.
type Blobs interface {
	Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// LayerSource is a layer and where it is.
type LayerSource struct {
	Layer
	Source Blobs
}

// Scanned is what became of a layer: facts, or the reason why there are none, as from ScanLayer.
type Scanned struct {
	Facts LayerFacts
	Err   error
	// Known says that the facts are those of Options.Known, and that the layer was not read.
	Known bool
	// Read is how many compressed bytes were read, whatever became of them.
	Read int64
}

// ScanAll reads layers, several at once, each distinct one only once however often it is in the list, and none that
// Options.Known has. Results are in the order of layers; one that fails does not keep the others from being read.
// Limits hold for each layer, but Limits.Memory for all of them together, and Limits.Ratio for both. The error is that
// of ctx.
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
				wide.Lock() // one at a time, since each takes as much memory as all others together
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

// beginAll begins a task for each layer, so that whoever watches knows how much there is to read.
func beginAll(ctx context.Context, layers []LayerSource) []*registry.Task {
	tasks := make([]*registry.Task, len(layers))
	for n, l := range layers {
		_, tasks[n] = registry.Begin(ctx, registry.Work{Doing: "checking", Name: "layer", Blob: l.Descriptor})
	}
	return tasks
}

// largestFirst keeps a large layer from being alone at the end.
func largestFirst(layers []LayerSource) []LayerSource {
	return slices.SortedStableFunc(slices.Values(layers), func(a, b LayerSource) int {
		return cmp.Compare(b.Descriptor.Size, a.Descriptor.Size)
	})
}

// content is what makes two layers one: a descriptor that lies about the size must fail on its own.
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
	defer func() { _ = blob.Close() }() // what was only read loses nothing
	count := counter{r: blob}
	s.Facts, s.Err = scanAny(ctx, &count, l.Descriptor, o, work)
	s.Read = count.n
	return s
}

// known fills in what was found out before, and returns the layers about which nothing was.
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

// tell hands on a layer that is what it should be.
func (l LayerSource) reportSeen(s Scanned, o Options) {
	if o.Seen != nil && l.checkDiffID(s.Facts) == nil {
		o.Seen(s)
	}
}

// known are facts that were found out before, about all that is to be found out now.
func (l LayerSource) known(o Options) (LayerFacts, bool) {
	if o.Known == nil {
		return LayerFacts{}, false
	}
	facts, ok := o.Known(l.Descriptor.Digest)
	compared := !o.Compare || TableDigest(l.Descriptor) == "" ||
		facts.Table != nil && facts.Table.Digest == TableDigest(l.Descriptor)
	return facts, ok && compared && facts.Schema == Schema && facts.Examiner == o.Examiner &&
		facts.Digest == l.Descriptor.Digest &&
		facts.Size == l.Descriptor.Size
}

// counter counts what is read. It is read by one goroutine, which has ended when the count is asked for.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// read is 0 for layers that were not to be read at all.
func (s *Scanned) bytesRead() int64 {
	if s == nil {
		return 0
	}
	return s.Read
}

// result is what was found, as seen by this layer: its media type may forbid reading it, and its diffID may be another.
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
