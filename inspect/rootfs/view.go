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

// view is one layer on its own: its entries applied in their order, as a runtime unpacks them, so that the last one of a name
// wins, a file in the place of a directory takes its content away, and what is below a link lands where the link leads.
type view struct {
	root     *node
	plain    *node // all plain files
	runnable *node // those with an executable bit
	gone     map[string]bool
	limits   Limits
	purse    *purse
	taken    int64
	// The directory of the entry before, where most entries lie too.
	last   string
	lastIn *walk
	// followed is how many bytes of links' targets were gone through.
	followed int64
}

func newView(limits Limits, p *purse) *view {
	return &view{
		root: newDir(0), plain: &node{}, runnable: &node{runnable: true}, gone: map[string]bool{}, limits: limits, purse: p,
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

func (v *view) take(n int64) error {
	v.taken += n
	return v.purse.take(n)
}

// discard gives back what the view took.
func (v *view) discard() {
	v.purse.giveBack(v.taken)
	v.taken = 0
}

// enter goes to the directory that a name lies in, making it and its parents where they are missing.
func (v *view) enter(dir string) (*walk, error) {
	if v.lastIn != nil && v.last == dir {
		return v.lastIn, nil
	}
	w := newWalk(v.root)
	w.mkdir = func(in *node, name string) (*node, error) {
		if len(w.names) >= v.limits.Depth {
			return nil, &LimitError{What: "directories in a path", Limit: int64(v.limits.Depth), Path: dir}
		}
		kid := newDir(0)
		in.put(name, kid)
		return kid, v.take(dirCost + int64(len(name)))
	}
	if err := v.to(w, dir, true); err != nil {
		return nil, err
	}
	if len(w.path()) > v.limits.Path {
		return nil, &LimitError{What: "bytes of a path", Limit: int64(v.limits.Path), Path: dir}
	}
	if !w.here().dir {
		return nil, fmt.Errorf("%w: %q is no directory", ErrMissing, "/"+w.path())
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
	in, name := w.here(), base(name)
	switch old := in.kid(name); {
	case old != nil && old.dir && n.dir:
		return nil
	case old != nil:
		v.lastIn = nil // it may be below what is replaced
	}
	if n.dir && len(w.names) >= v.limits.Depth {
		return &LimitError{What: "directories in a path", Limit: int64(v.limits.Depth), Path: join(w.path(), name)}
	}
	in.put(strings.Clone(name), n) // it is part of a longer string
	cost := int64(nameCost + len(name))
	switch {
	case n.dir:
		cost += dirCost
	case n.file != nil:
		cost += n.file.cost()
	}
	return v.take(cost)
}

// hide notes a whiteout; those of this layer's own files are none of its business.
func (v *view) hide(name string) error {
	w, err := v.enter(parent(name))
	if err != nil {
		return err
	}
	if base(name) == opaque {
		w.here().opaque = true
		return nil
	}
	gone := join(w.path(), strings.TrimPrefix(base(name), whiteout))
	if v.gone[gone] {
		return nil
	}
	v.gone[gone] = true
	return v.take(nameCost + int64(len(gone)))
}

// find is the node that a hard link to name means; nil: one of a lower layer.
func (v *view) find(name string) (*node, error) {
	w := newWalk(v.root)
	err := v.to(w, parent(name), true)
	if err == nil {
		err = v.to(w, base(name), false)
	}
	switch {
	case errors.Is(err, ErrLimit):
		return nil, err
	case err != nil:
		return nil, nil //nolint:nilerr // it may be there in a lower layer, which Merge will know
	}
	return w.here(), nil
}
