package deep

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// reader reads the layers of all images, each once.
type reader struct {
	options Options
	have    map[layerKey]rootfs.Scanned
	seen    map[v1.Hash]bool
	cost    Cost
}

// layerKey is what makes the result for two layers the same: facts depend on the digest, failures on the rest too.
type layerKey struct {
	digest, diffID v1.Hash
	size           int64
	mediaType      string
}

func keyOf(l rootfs.LayerSource) layerKey {
	d := l.Descriptor
	return layerKey{d.Digest, l.DiffID, d.Size, string(d.MediaType)}
}

func newReader(o Options) *reader {
	return &reader{options: o, have: map[layerKey]rootfs.Scanned{}, seen: map[v1.Hash]bool{}}
}

// all reads what is needed of all images: at once, or from the top in rounds, in which every image that is not decided
// yet has twice as many layers as before.
func (r *reader) all(ctx context.Context, subjects []subject) error {
	depth := map[int]int{} // layers read from the top, by the image's place
	for {
		var want []rootfs.LayerSource
		for n, s := range subjects {
			if !s.readable() || depth[n] == len(s.Layers) || depth[n] > 0 && r.decided(s) {
				continue
			}
			depth[n] = min(max(1, 2*depth[n]), len(s.Layers))
			if !r.options.EntrypointOnly || !s.starts() {
				depth[n] = len(s.Layers)
			}
			for l := len(s.Layers) - depth[n]; l < len(s.Layers); l++ {
				want = append(want, s.layer(l))
			}
		}
		if len(want) == 0 {
			return nil
		}
		if err := r.scan(ctx, want); err != nil {
			return err
		}
	}
}

// scan reads the layers that were not read before.
func (r *reader) scan(ctx context.Context, layers []rootfs.LayerSource) error {
	var todo []rootfs.LayerSource
	for _, l := range layers {
		if _, ok := r.have[keyOf(l)]; !ok {
			todo = append(todo, l)
		}
	}
	scanned, err := rootfs.ScanAll(ctx, todo, rootfs.Options{
		Examiner: examiner, Limits: r.options.Limits, Progress: r.options.Progress, Known: r.known,
	})
	if err != nil {
		return err
	}
	for n, l := range todo {
		r.have[keyOf(l)] = scanned[n]
		r.count(l, scanned[n])
	}
	return nil
}

// examiner is the version of what package binary knows. Facts of another one are read anew.
const examiner = "1"

// known has what an earlier round read, and what the caller knows.
func (r *reader) known(digest v1.Hash) (rootfs.LayerFacts, bool) {
	if r.options.Known == nil {
		return rootfs.LayerFacts{}, false
	}
	return r.options.Known(digest)
}

func (r *reader) count(l rootfs.LayerSource, s rootfs.Scanned) {
	if r.seen[l.Descriptor.Digest] || errors.Is(s.Err, rootfs.ErrUnchecked) {
		return
	}
	r.seen[l.Descriptor.Digest] = true
	if s.Known {
		r.cost.Known++
		return
	}
	r.cost.Layers++
	if s.Err != nil {
		return // how much was read of it is not known
	}
	r.cost.Bytes += l.Descriptor.Size
	if r.options.Keep != nil {
		r.options.Keep(s.Facts)
	}
}

// layers are the facts of an image, with the zero value where a layer was not read, and the failures by layer.
func (r *reader) layers(s subject) (facts []rootfs.LayerFacts, failed map[int]error) {
	facts, failed = make([]rootfs.LayerFacts, len(s.Layers)), map[int]error{}
	for n := range s.Layers {
		scanned, ok := r.have[keyOf(s.layer(n))]
		if ok && scanned.Err != nil {
			failed[n] = scanned.Err
		}
		if ok && scanned.Err == nil {
			facts[n] = scanned.Facts
		}
	}
	return facts, failed
}

// decided says whether what the image starts is known, with nothing open that a lower layer could answer.
func (r *reader) decided(s subject) bool {
	if !r.options.EntrypointOnly || !s.starts() {
		return true
	}
	facts, failed := r.layers(s)
	tree, err := rootfs.Merge(facts)
	if err != nil || len(failed) > 0 {
		return true
	}
	steps, err := tree.Command(s.command())
	for _, step := range steps {
		if errors.Is(step.Err, rootfs.ErrUnread) {
			return false
		}
	}
	return err == nil
}
