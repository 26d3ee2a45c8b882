package deep

import (
	"context"
	"errors"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// reader reads the layers of all images, each layer once.
type reader struct {
	options  Options
	scanned  map[layerKey]rootfs.Scanned
	seen     map[v1.Hash]bool
	tables   tables
	cost     Cost
	round    round
	contents map[int]inspect.Contents // by the image's index
	rpm      sync.Mutex               // held while a database of RPM is in memory
	whole    map[int]bool             // images that are read completely in spite of EntrypointOnly
}

// layerKey identifies layers with the same result. Facts depend on the digest alone, failures on the rest too.
type layerKey struct {
	digest, diffID v1.Hash
	size           int64
	mediaType      string
	table          string // the digest of the table of contents
}

func keyOf(l rootfs.LayerSource) layerKey {
	d := l.Descriptor
	return layerKey{d.Digest, l.DiffID, d.Size, string(d.MediaType), rootfs.TableDigest(d)}
}

func newReader(o Options) *reader {
	return &reader{
		options: o, scanned: map[layerKey]rootfs.Scanned{}, seen: map[v1.Hash]bool{}, tables: newTables(o),
		whole: map[int]bool{}, contents: map[int]inspect.Contents{},
	}
}

// readAll reads the needed layers of all images: all at once, or from the top in rounds. Each round doubles the
// number of layers of every image that is not decided yet.
func (r *reader) readAll(ctx context.Context, subjects []subject) error {
	depth := map[int]int{} // layers read from the top, by the image's index
	for {
		var needed []rootfs.LayerSource
		r.round = round{}
		for n, s := range subjects {
			if !s.readable() {
				continue
			}
			if depth[n] > 0 {
				r.widen(s)
			}
			if depth[n] == len(s.Layers) || depth[n] > 0 && r.decided(s) {
				continue
			}
			depth[n] = min(max(1, 2*depth[n]), len(s.Layers))
			if !r.onlyStarted(s) {
				depth[n] = len(s.Layers)
			}
			for l := len(s.Layers) - depth[n]; l < len(s.Layers); l++ {
				needed = append(needed, s.layer(l))
			}
			r.round.reading = append(r.round.reading, s)
		}
		if len(needed) == 0 {
			r.cost.Bytes += r.tables.read()
			return nil
		}
		if err := r.scan(ctx, needed); err != nil {
			return err
		}
		for _, s := range r.round.reading {
			if err := r.examine(ctx, s); err != nil {
				return err
			}
		}
	}
}

// onlyStarted reports whether only what the image starts must be read.
func (r *reader) onlyStarted(s subject) bool {
	return r.options.EntrypointOnly && s.startsProgram() && !r.whole[s.index]
}

// widen decides whether an image must be read completely after all.
func (r *reader) widen(s subject) {
	if !r.options.Follow || !r.onlyStarted(s) {
		return
	}
	facts, _ := r.factsOf(s)
	tree, err := rootfs.Merge(facts)
	if err != nil {
		return // judge reports it
	}
	if steps, _ := s.steps(tree); firstStop(steps) != nil {
		r.whole[s.index] = true
		r.cost.Whole++
	}
}

// scan reads the layers that were not read before, or not far enough.
func (r *reader) scan(ctx context.Context, layers []rootfs.LayerSource) error {
	var todo []rootfs.LayerSource
	for _, l := range layers {
		if have, ok := r.scanned[keyOf(l)]; !ok || have.Facts.Part == rootfs.Beginning {
			todo = append(todo, l)
		}
	}
	todo, err := r.byTable(ctx, todo)
	if err != nil {
		return err
	}
	o := rootfs.Options{
		Examiner: examiner, Extract: r.texts, Limits: r.options.Limits, Known: r.known, Compare: !r.options.early(),
		Seen: r.keep,
	}
	if r.options.early() {
		o.Enough = r.enough
	}
	scanned, err := rootfs.ScanAll(ctx, todo, o)
	if err != nil {
		return err
	}
	counted := map[v1.Hash]bool{}
	for n, l := range todo {
		r.scanned[keyOf(l)] = scanned[n]
		if !counted[l.Descriptor.Digest] {
			counted[l.Descriptor.Digest] = true
			r.count(l, scanned[n])
		}
	}
	return nil
}

// examiner is the version of the facts that are read of files. Kept facts of another version are not used.
const examiner = "10"

// known returns what an earlier run read.
func (r *reader) known(digest v1.Hash) (rootfs.LayerFacts, bool) {
	if r.options.Known == nil {
		return rootfs.LayerFacts{}, false
	}
	return r.options.Known(digest)
}

func (r *reader) count(l rootfs.LayerSource, s rootfs.Scanned) {
	if errors.Is(s.Err, rootfs.ErrUnchecked) {
		return
	}
	first := !r.seen[l.Descriptor.Digest]
	r.seen[l.Descriptor.Digest] = true
	r.cost.Bytes += s.Read
	switch {
	case first && s.Known:
		r.cost.Known++
	case first:
		r.cost.Layers++
	}
}

// factsOf returns the facts of an image's layers, with the zero value for unread layers, and the failures by layer.
// Layers below one of which only the beginning was read are left out, since its rest may hide their files.
func (r *reader) factsOf(s subject) (facts []rootfs.LayerFacts, failed map[int]error) {
	facts, failed = make([]rootfs.LayerFacts, len(s.Layers)), map[int]error{}
	for n := len(s.Layers) - 1; n >= 0; n-- {
		scanned, ok := r.scanned[keyOf(s.layer(n))]
		if ok && scanned.Err != nil {
			failed[n] = scanned.Err
		}
		if ok && scanned.Err == nil {
			facts[n] = scanned.Facts
		}
		if facts[n].Part == rootfs.Beginning {
			break
		}
	}
	return facts, failed
}

// decided reports whether everything needed of the image is known, so that no lower layer could change the verdict.
func (r *reader) decided(s subject) bool {
	if !r.onlyStarted(s) {
		return !r.whole[s.index]
	}
	facts, failed := r.factsOf(s)
	return len(failed) > 0 || r.settled(s, facts)
}

// settled reports whether the facts of some layers show what the image starts, in every reading by runtimes. With
// Options.Follow that includes files that are only named in a command line.
func (r *reader) settled(s subject, facts []rootfs.LayerFacts) bool {
	trees, err := rootfs.Readings(facts)
	if err != nil {
		return true
	}
	for _, tree := range trees {
		steps, err := s.steps(tree)
		open := func(step rootfs.Step) bool {
			return errors.Is(step.Err, rootfs.ErrUnread) && (!step.Guess || r.options.Follow)
		}
		if err != nil || slices.ContainsFunc(steps, open) {
			return false
		}
	}
	return true
}

// round has what is known while layers are being read. Several goroutines use it at once.
type round struct {
	mu      sync.Mutex
	reading []subject // images whose layers are being read
	done    map[int]bool
	facts   map[v1.Hash]rootfs.LayerFacts // of finished layers of this round
}
