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

// reader reads the layers of all images, each once.
type reader struct {
	options Options
	have    map[layerKey]rootfs.Scanned
	seen    map[v1.Hash]bool
	tables  tables
	cost    Cost
	round   round
	holds   map[int]inspect.Contents // by the image's place
	rpm     sync.Mutex               // held while a database of RPM is in memory
	whole   map[int]bool             // images that are read as a whole although only what they start was asked for
}

// layerKey is what makes the result for two layers the same: facts depend on the digest, failures on the rest too.
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
		options: o, have: map[layerKey]rootfs.Scanned{}, seen: map[v1.Hash]bool{}, tables: newTables(o),
		whole: map[int]bool{}, holds: map[int]inspect.Contents{},
	}
}

// all reads what is needed of all images: at once, or from the top in rounds, in which every image that is not decided
// yet has twice as many layers as before.
func (r *reader) all(ctx context.Context, subjects []subject) error {
	depth := map[int]int{} // layers read from the top, by the image's place
	for {
		var want []rootfs.LayerSource
		r.round = round{}
		for n, s := range subjects {
			if !s.readable() {
				continue
			}
			if depth[n] > 0 {
				r.follow(s)
			}
			if depth[n] == len(s.Layers) || depth[n] > 0 && r.decided(s) {
				continue
			}
			depth[n] = min(max(1, 2*depth[n]), len(s.Layers))
			if !r.narrow(s) {
				depth[n] = len(s.Layers)
			}
			for l := len(s.Layers) - depth[n]; l < len(s.Layers); l++ {
				want = append(want, s.layer(l))
			}
			r.round.open = append(r.round.open, s)
		}
		if len(want) == 0 {
			r.cost.Bytes += r.tables.read()
			return nil
		}
		if err := r.scan(ctx, want); err != nil {
			return err
		}
		for _, s := range r.round.open {
			if err := r.examine(ctx, s); err != nil {
				return err
			}
		}
	}
}

// narrow reports whether only what the image starts is to be read.
func (r *reader) narrow(s subject) bool {
	return r.options.EntrypointOnly && s.starts() && !r.whole[s.n]
}

// follow decides whether an image must be read as a whole.
func (r *reader) follow(s subject) {
	if !r.options.Follow || !r.narrow(s) {
		return
	}
	facts, _ := r.layers(s)
	tree, err := rootfs.Merge(facts)
	if err != nil {
		return // it is judged with the rest
	}
	if steps, _ := s.steps(tree); stop(steps) != nil {
		r.whole[s.n] = true
		r.cost.Whole++
	}
}

// scan reads the layers that were not read before, and those of which too little was.
func (r *reader) scan(ctx context.Context, layers []rootfs.LayerSource) error {
	var todo []rootfs.LayerSource
	for _, l := range layers {
		if have, ok := r.have[keyOf(l)]; !ok || have.Facts.Part == rootfs.Beginning {
			todo = append(todo, l)
		}
	}
	todo, err := r.byTable(ctx, todo)
	if err != nil {
		return err
	}
	o := rootfs.Options{
		Examiner: examiner, Extract: r.texts, Limits: r.options.Limits, Known: r.known, Compare: !r.options.early(),
		Seen: r.note,
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
		r.have[keyOf(l)] = scanned[n]
		if !counted[l.Descriptor.Digest] {
			counted[l.Descriptor.Digest] = true
			r.count(l, scanned[n])
		}
	}
	return nil
}

// examiner is the version of what is read of files. Facts of another one are read anew.
const examiner = "10"

// known has what an earlier run read.
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

// layers are the facts of an image, with the zero value where a layer was not read, and the failures by layer. What
// lies below a layer of which only the beginning was read is left out: what follows there may hide it.
func (r *reader) layers(s subject) (facts []rootfs.LayerFacts, failed map[int]error) {
	facts, failed = make([]rootfs.LayerFacts, len(s.Layers)), map[int]error{}
	for n := len(s.Layers) - 1; n >= 0; n-- {
		scanned, ok := r.have[keyOf(s.layer(n))]
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

// decided reports whether what is to be known of the image is, with nothing open that a lower layer could answer.
func (r *reader) decided(s subject) bool {
	if !r.narrow(s) {
		return !r.whole[s.n]
	}
	facts, failed := r.layers(s)
	return len(failed) > 0 || r.settled(s, facts)
}

// settled reports whether facts of some layers tell what the image starts, in whatever way runtimes read them. What is
// only named in a command line is waited for where nothing may be missed.
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

// round is what is known while layers are being read. It is used by several goroutines at once.
type round struct {
	mu   sync.Mutex
	open []subject // the images whose layers are being read
	done map[int]bool
	read map[v1.Hash]rootfs.LayerFacts // layers of this round that are done
}
