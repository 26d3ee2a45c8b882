package deep

import (
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// early reports whether reading a layer may stop before its end. Its digest is then not verified, so strict checks
// and gates read on.
func (o Options) early() bool { return o.EntrypointOnly && !o.Strict && !o.WholeLayers }

// keep stores the facts of a finished layer while others are still being read, so that a run that is interrupted or
// times out need not read it again.
func (r *reader) keep(layer rootfs.Scanned) {
	r.round.mu.Lock()
	defer r.round.mu.Unlock()
	if r.round.facts == nil {
		r.round.facts = map[v1.Hash]rootfs.LayerFacts{}
	}
	r.round.facts[layer.Facts.Digest] = layer.Facts
	if !layer.Known && layer.Facts.Part == rootfs.Whole && r.options.Keep != nil {
		r.options.Keep(layer.Facts)
	}
}

// enough reports whether no image that is being read needs the rest of a layer.
func (r *reader) enough(d v1.Descriptor, seen func() (rootfs.LayerFacts, error)) bool {
	r.round.mu.Lock()
	defer r.round.mu.Unlock()
	var now rootfs.LayerFacts
	for n, s := range r.round.reading {
		at := s.layerIndex(d.Digest)
		if at < 0 || r.round.done[n] {
			continue
		}
		if !r.onlyStarted(s) {
			return false
		}
		above, ok := r.factsAbove(s, at)
		if !ok {
			return false
		}
		if now.Schema == "" {
			var err error
			if now, err = seen(); err != nil {
				return false // reading on will report the error
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

// layerIndex returns the index of an image's layer; -1: it has no such layer. Of a layer that occurs twice, the upper
// one counts.
func (s subject) layerIndex(digest v1.Hash) int {
	for n, l := range slices.Backward(s.Layers) {
		if l.Digest == digest {
			return n
		}
	}
	return -1
}

// factsAbove returns the facts of the layers above one, if all of them are known. It may read r.scanned, which does
// not change while layers are being read.
func (r *reader) factsAbove(s subject, at int) ([]rootfs.LayerFacts, bool) {
	facts := make([]rootfs.LayerFacts, len(s.Layers))
	for n := at + 1; n < len(s.Layers); n++ {
		l := s.layer(n)
		facts[n] = r.round.facts[l.Descriptor.Digest]
		if have, ok := r.scanned[keyOf(l)]; ok && have.Err == nil {
			facts[n] = have.Facts
		}
		if facts[n].Schema == "" || facts[n].Part == rootfs.Beginning {
			return nil, false
		}
	}
	return facts, true
}
