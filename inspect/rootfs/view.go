package rootfs

import (
	"errors"
	"fmt"
	"strings"
)

// Prefixes of whiteouts. https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	metadata = ".wh..wh." // AUFS metadata, which no runtime shows
)

// view is one layer alone: its entries applied in order, as runtimes with overlayfs unpack it into an empty
// directory. The last entry of a name wins, a file replaces a directory with its content, and entries below a link
// are put where the link leads. A whiteout is a node too, which later entries replace.
//
// Entries that no tool writes, and that runtimes read differently, are refused: see ambiguous.
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
	// The directory of the previous entry, which most entries share.
	last   string
	lastIn *walk
	// followed is how many bytes of link targets were followed.
	followed int64
}

func newView(limits Limits, p *memoryBudget) *view {
	return &view{
		root: newDir(0), plain: &node{}, runnable: &node{runnable: true}, gone: &node{gone: true},
		device:  &node{device: true},
		skipped: map[string]bool{}, limits: limits, budget: p,
	}
}

// maxFollowed limits the cost of names below long chains of long links, which are slow to follow and compress well.
const maxFollowed = 64 << 20

// to is w.to within the limits of the view.
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

// discard returns the view's memory to the budget.
func (v *view) discard() {
	v.budget.release(v.charged)
	v.charged = 0
}

// enter returns the walk to a directory, creating it and its parents if they are missing.
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
		// After a whiteout, no runtime shows the directory's content in lower layers: those with overlayfs refuse the
		// layer, or ignore the entry.
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
		return nil, fmt.Errorf("%w: %q is not a directory", ErrMissing, "/"+w.path())
	}
	if len(w.links) > 0 {
		w.markAffecting()
	}
	v.last, v.lastIn = dir, w
	return w, nil
}

// put replaces the entry at name, a clean path. Directories merge.
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
		return ambiguous(join(w.path(), name), "a device replaces another entry of the layer")
	case old.implied || old.late || old.affectsLower:
		return ambiguous(join(w.path(), name), "it replaces an entry that may have changed lower layers")
	default:
		n.replaced = n.dir
		v.lastIn = nil // it may be below the replaced entry
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

// cost returns roughly the memory of a node with its name, in bytes.
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

// hide records a whiteout, or the marker of an opaque directory.
func (v *view) hide(name string) error {
	w, err := v.enter(parent(name))
	if err != nil {
		return err
	}
	in := w.current()
	if base(name) == opaque {
		if len(w.links) > 0 {
			return ambiguous(w.path(), "its opaque marker comes through a link")
		}
		if in.affectsLower {
			return ambiguous(w.path(), "its opaque marker comes after entries in it that may have changed lower layers")
		}
		// Overlayfs ignores a marker in the root.
		in.opaque, in.replaced = in.opaque || in != v.root, in.replaced || in == v.root
		return nil
	}
	gone := strings.TrimPrefix(base(name), whiteout)
	switch old := in.child(gone); {
	case old == nil:
	case old.gone:
		return nil
	default:
		return ambiguous(join(w.path(), gone), "its whiteout comes after the layer's own entry")
	}
	in.put(strings.Clone(gone), v.gone)
	return v.charge(nameCost + int64(len(gone)))
}

// skip records the name of an entry that only some runtimes apply. The layer itself must not have an entry there, or
// a file in its path.
func (v *view) skip(name string) error {
	n := v.root
	for part := range parts(name) {
		if n = n.child(part); n == nil {
			break
		}
		if !n.dir {
			return ambiguous(name, "only some runtimes apply this entry, and the layer has something else there")
		}
	}
	if n != nil {
		return ambiguous(name, "only some runtimes apply this entry, and the layer has a directory there")
	}
	return v.noteSkipped(name)
}

// putDevice puts a device, which runtimes without privileges skip.
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

// find returns the target of a hard link; nil if it is in a lower layer.
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
		return nil, nil //nolint:nilerr // it may be in a lower layer, as Merge will find out
	case w.current().gone:
		return nil, ambiguous(name, "a hard link leads to a file that the layer has removed")
	}
	return w.current(), nil
}
