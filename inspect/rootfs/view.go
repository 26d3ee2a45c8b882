package rootfs

import (
	"errors"
	"fmt"
	"strings"
)

// What names of whiteouts begin with. https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	metadata = ".wh..wh." // of AUFS, which no runtime shows
)

// view is one layer on its own: its entries applied in their order, as overlayfs's users unpack it into an empty
// directory. The last one of a name wins, a file in the place of a directory takes its content away, and what is below
// a link lands where the link leads. A whiteout is a node too, which what comes later replaces.
//
// What no tool writes and runtimes read differently is refused: see ambiguous.
type view struct {
	root     *node
	plain    *node // all plain files
	runnable *node // those with an executable bit
	gone     *node // all whiteouts
	device   *node // all devices
	skipped  map[string]bool
	limits   Limits
	budget   *memoryBudget
	charged  int64
	// The directory of the entry before, where most entries lie too.
	last   string
	lastIn *walk
	// followed is how many bytes of links' targets were gone through.
	followed int64
}

func newView(limits Limits, p *memoryBudget) *view {
	return &view{
		root: newDir(0), plain: &node{}, runnable: &node{runnable: true}, gone: &node{gone: true},
		device:  &node{device: true},
		skipped: map[string]bool{}, limits: limits, budget: p,
	}
}

// maxFollowed bounds what names below long chains of long links cost: each takes a while, and they pack well.
const maxFollowed = 64 << 20

// to is w.to within the bounds of the view.
func (v *view) to(w *walk, name string, last bool) error {
	before := w.bytes
	err := w.to(name, last)
	if v.followed += w.bytes - before; v.followed > maxFollowed {
		return &LimitError{What: "bytes of links on the way to names", Limit: maxFollowed, Path: name}
	}
	return err
}

func (v *view) charge(n int64) error {
	v.charged += n
	return v.budget.take(n)
}

// discard gives back what the view took.
func (v *view) discard() {
	v.budget.release(v.charged)
	v.charged = 0
}

// enter goes to the directory that a name lies in, making it and its parents where they are missing.
func (v *view) enter(dir string) (*walk, error) {
	if v.lastIn != nil && v.last == dir {
		return v.lastIn, nil
	}
	w := newWalk(v.root)
	w.strict = true
	w.mkdir = func(in *node, name string) (*node, error) {
		if len(w.names) >= v.limits.Depth {
			return nil, &LimitError{What: "directories in a path", Limit: int64(v.limits.Depth), Path: dir}
		}
		w.markAffecting()
		child := newDir(0)
		// Behind a whiteout, no runtime shows what lower layers have there: overlayfs's users refuse the layer, or take no
		// notice of the entry.
		child.opaque = in.child(name) != nil
		child.implied = !child.opaque
		in.put(strings.Clone(name), child)
		return child, v.charge(dirCost + int64(len(name)))
	}
	if err := v.to(w, dir, true); err != nil {
		return nil, err
	}
	if len(w.path()) > v.limits.Path {
		return nil, &LimitError{What: "bytes of a path", Limit: int64(v.limits.Path), Path: dir}
	}
	if !w.current().dir {
		return nil, fmt.Errorf("%w: %q is no directory", ErrMissing, "/"+w.path())
	}
	if len(w.links) > 0 {
		w.markAffecting()
	}
	v.last, v.lastIn = dir, w
	return w, nil
}

// put replaces what is at name, a clean path. Directories merge.
func (v *view) put(name string, n *node) error {
	w, err := v.enter(parent(name))
	if err != nil {
		return err
	}
	in, name := w.current(), base(name)
	switch old := in.child(name); {
	case old == nil:
	case old.dir && n.dir:
		old.implied, old.late = false, old.late || old.implied
		return nil
	case n.device:
		return ambiguous(join(w.path(), name), "a device takes the place of something else that the layer has there")
	case old.implied || old.late || old.affectsLower:
		return ambiguous(join(w.path(), name), "it takes the place of an entry that may have changed lower layers")
	default:
		n.replaced = n.dir
		v.lastIn = nil // it may be below what is replaced
	}
	if n.dir && len(w.names) >= v.limits.Depth {
		return &LimitError{What: "directories in a path", Limit: int64(v.limits.Depth), Path: join(w.path(), name)}
	}
	if n.file != nil && n.file.Type == Hardlink {
		n.affectsLower = true
		w.markAffecting()
	}
	in.put(strings.Clone(name), n) // it is part of a longer string
	return v.charge(n.cost(name))
}

// cost is about how many bytes of memory the node takes under a name.
func (n *node) cost(name string) int64 {
	cost := int64(nameCost + len(name))
	switch {
	case n.dir:
		cost += dirCost
	case n.file != nil:
		cost += n.file.cost()
	}
	return cost
}

// hide notes a whiteout, or the marker of an opaque directory.
func (v *view) hide(name string) error {
	w, err := v.enter(parent(name))
	if err != nil {
		return err
	}
	in := w.current()
	if base(name) == opaque {
		if len(w.links) > 0 {
			return ambiguous(w.path(), "its opaque marker comes by a link")
		}
		if in.affectsLower {
			return ambiguous(w.path(), "its opaque marker comes after entries in it that may have changed lower layers")
		}
		// Overlayfs takes no notice of a marker in the root.
		in.opaque, in.replaced = in.opaque || in != v.root, in.replaced || in == v.root
		return nil
	}
	gone := strings.TrimPrefix(base(name), whiteout)
	switch old := in.child(gone); {
	case old == nil:
	case old.gone:
		return nil
	default:
		return ambiguous(join(w.path(), gone), "the whiteout of it comes after the layer's own")
	}
	in.put(strings.Clone(gone), v.gone)
	return v.charge(nameCost + int64(len(gone)))
}

// skip notes the name of an entry that only some runtimes act upon. The layer itself may have nothing there or on the
// way that is no directory.
func (v *view) skip(name string) error {
	n := v.root
	for part := range parts(name) {
		if n = n.child(part); n == nil {
			break
		}
		if !n.dir {
			return ambiguous(name, "only some runtimes act upon this entry, and the layer has something else there")
		}
	}
	if n != nil {
		return ambiguous(name, "only some runtimes act upon this entry, and the layer has a directory there")
	}
	return v.noteSkipped(name)
}

// putDevice puts a device, which runtimes leave out that run without privileges.
func (v *view) putDevice(name string) error {
	if err := v.put(name, v.device); err != nil {
		return err
	}
	w, err := v.enter(parent(name))
	if err != nil {
		return err
	}
	return v.noteSkipped(join(w.path(), base(name)))
}

func (v *view) noteSkipped(name string) error {
	if v.skipped[name] {
		return nil
	}
	v.skipped[strings.Clone(name)] = true
	return v.charge(nameCost + int64(len(name)))
}

// find is the node that a hard link to name means; nil: one of a lower layer.
func (v *view) find(name string) (*node, error) {
	w := newWalk(v.root)
	w.strict = true
	err := v.to(w, parent(name), true)
	if err == nil {
		err = v.to(w, base(name), false)
	}
	switch {
	case errors.Is(err, ErrLimit), errors.Is(err, ErrUnchecked):
		return nil, err
	case err != nil && len(w.links) > 0:
		return nil, ambiguous(name, "a hard link leads through a link of its layer to a file of another one")
	case err != nil:
		return nil, nil //nolint:nilerr // it may be there in a lower layer, which Merge will know
	case w.current().gone:
		return nil, ambiguous(name, "a hard link leads to what the layer has taken away")
	}
	return w.current(), nil
}
