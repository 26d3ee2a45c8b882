package deep

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// early reports whether layers may be left before their end. Their digests are not verified then, which is not for who
// is strict, nor for a gate.
func (o Options) early() bool { return o.EntrypointOnly && !o.Strict && !o.WholeLayers }

// note keeps the facts of a layer that is done while others are still being read: who is interrupted, or has only so
// much time, need not read it again.
func (r *reader) note(layer rootfs.Scanned) {
	r.round.mu.Lock()
	defer r.round.mu.Unlock()
	if r.round.read == nil {
		r.round.read = map[v1.Hash]rootfs.LayerFacts{}
	}
	r.round.read[layer.Facts.Digest] = layer.Facts
	if !layer.Known && layer.Facts.Part == rootfs.Whole && r.options.Keep != nil {
		r.options.Keep(layer.Facts)
	}
}

// enough reports whether the rest of a layer matters to no image that is being read.
func (r *reader) enough(d v1.Descriptor, seen func() (rootfs.LayerFacts, error)) bool {
	r.round.mu.Lock()
	defer r.round.mu.Unlock()
	var now rootfs.LayerFacts
	for n, s := range r.round.open {
		at := s.layerIndex(d.Digest)
		if at < 0 || r.round.done[n] {
			continue
		}
		if !r.narrow(s) {
			return false
		}
		above, ok := r.above(s, at)
		if !ok {
			return false
		}
		if now.Schema == "" {
			var err error
			if now, err = seen(); err != nil {
				return false // it will fail by itself
			}
		}
		if above[at] = now; !r.settled(s, above) {
			return false
		}
		if r.round.done == nil {
			r.round.done = map[int]bool{}
		}
		r.round.done[n] = true
	}
	return true
}

// place is the index of an image's layer; -1: it has no such layer. A layer that is there twice counts where it is on
// top.
func (s subject) layerIndex(digest v1.Hash) int {
	for n, l := range slices.Backward(s.Layers) {
		if l.Digest == digest {
			return n
		}
	}
	return -1
}

// above are the facts of the layers above one, if all of them are known. The map of what was read before does not
// change while layers are being read.
func (r *reader) above(s subject, at int) ([]rootfs.LayerFacts, bool) {
	facts := make([]rootfs.LayerFacts, len(s.Layers))
	for n := at + 1; n < len(s.Layers); n++ {
		l := s.layer(n)
		facts[n] = r.round.read[l.Descriptor.Digest]
		if have, ok := r.have[keyOf(l)]; ok && have.Err == nil {
			facts[n] = have.Facts
		}
		if facts[n].Schema == "" || facts[n].Part == rootfs.Beginning {
			return nil, false
		}
	}
	return facts, true
}
