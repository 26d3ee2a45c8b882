package rootfs

import (
	"errors"
	"reflect"
	"slices"
	"strings"
)

// errNotInPlace says that no runtime can unpack the layers in place.
var errNotInPlace = errors.New("not unpacked in place")

// unpack merges the layer into the tree like runtimes that unpack it into the directory of the lower layers: links of
// lower layers are followed where the layer only has entries below them, and whatever the layer once removed or
// replaced is gone.
//
// The facts don't say in which order the layer has its entries. If the order matters, the layer is refused.
func (l *layering) unpack(linked map[int]*node) error {
	dirs := make(map[string]*node, len(l.facts.Folders))
	for i := range l.facts.Folders {
		f := &l.facts.Folders[i]
		dir, err := l.enter(f, dirs[parent(f.Path)])
		if errors.Is(err, errNotInPlace) && l.followsLinks() {
			return l.dependsOnOrder(f.Path)
		}
		if err != nil {
			return err
		}
		dirs[f.Path] = dir
		put := func(name string, n *node) error { return l.replace(dir, name, n, join(f.Path, name)) }
		if err := l.putNames(f, put); err != nil {
			return err
		}
	}
	for i := range l.facts.Files {
		n, path := linked[i], l.facts.Files[i].Path
		if n != nil && len(l.followed) > 0 {
			return l.dependsOnOrder(path)
		}
		if n == nil {
			n = &node{file: &l.facts.Files[i], layer: l.layer}
		}
		if err := l.replace(dirs[parent(path)], base(path), n, path); err != nil {
			return err
		}
		if err := l.budget.take(nameCost + fileCost); err != nil {
			return err
		}
	}
	for _, w := range l.facts.Whiteouts {
		child := dirs[parent(w)].child(base(w))
		if child != nil && child.layer == l.layer {
			return l.dependsOnOrder(w)
		}
		delete(dirs[parent(w)].children, base(w))
	}
	return l.checkLinks()
}

// followsLinks reports whether a directory of the layer is a link of a lower one: through it, an entry may have been
// replaced by a later one.
func (l *layering) followsLinks() bool {
	return len(l.followed) > 0 || slices.ContainsFunc(l.facts.Folders, func(f Folder) bool {
		at := l.root
		for name := range strings.SplitSeq(f.Path, "/") {
			if at = at.child(name); at == nil || !at.dir {
				break
			}
		}
		return f.Implied && at != nil && at.isLink()
	})
}

// checkLinks refuses a layer that changes the links of lower layers through which its own entries go.
func (l *layering) checkLinks() error {
	for _, s := range l.followed {
		if s.in.child(s.name) != s.n || l.emptied[s.in] || l.emptied[s.n] {
			return l.dependsOnOrder(s.name)
		}
	}
	if len(l.followed) > 0 && len(l.facts.Skipped) > 0 {
		return l.dependsOnOrder(l.facts.Skipped[0])
	}
	return nil
}

// enter returns a directory of the layer, given its parent.
func (l *layering) enter(f *Folder, in *node) (*node, error) {
	if in == nil { // the root
		if l.root.layer = l.layer; f.Replaced || f.Opaque {
			l.root.children, l.emptied[l.root] = nil, true
		}
		return l.root, nil
	}
	child := in.child(base(f.Path))
	if err := l.checkFolder(f, child); err != nil {
		return nil, err
	}
	if f.Implied && child != nil && child.isLink() {
		return l.follow(f)
	}
	replaced := f.Replaced || f.Opaque || child != nil && !child.dir
	if child == nil || replaced {
		child = newDir(l.layer)
		in.put(base(f.Path), child)
		if err := l.budget.take(dirCost + int64(len(f.Path))); err != nil {
			return nil, err
		}
	}
	child.layer, l.emptied[child] = l.layer, replaced
	return child, nil
}

// checkFolder refuses a directory of the layer that conflicts with an entry of lower layers there, or of the layer
// itself through a link.
func (l *layering) checkFolder(f *Folder, child *node) error {
	switch {
	case child == nil:
	case child.layer == l.layer && (!child.dir || f.Replaced || f.Opaque), f.Late && child.isLink():
		return l.dependsOnOrder(f.Path)
	case !f.Implied || child.dir || child.isLink():
	case l.onlyWhiteouts(f):
		return ambiguous(f.Path, "there are whiteouts below a file that is not a directory")
	case l.skipped[f.Path]:
		return ambiguous(f.Path, "it lies below a device, which not all runtimes create")
	default:
		return errNotInPlace
	}
	return nil
}

// follow returns a directory that is a link of a lower layer.
func (l *layering) follow(f *Folder) (*node, error) {
	if f.Opaque {
		return nil, ambiguous(f.Path, "an opaque marker below a link of a lower layer")
	}
	w := newWalk(l.root)
	w.strict = true
	w.mkdir = func(in *node, name string) (*node, error) {
		child := newDir(l.layer)
		in.put(name, child)
		return child, l.budget.take(dirCost + int64(len(name)))
	}
	switch err := w.to(f.Path, true); {
	case errors.Is(err, ErrLimit), errors.Is(err, ErrUnchecked):
		return nil, err
	case err != nil:
		return nil, ambiguous(f.Path, err.Error())
	case !w.current().dir:
		return nil, ambiguous(f.Path, "a link of a lower layer does not lead to a directory")
	}
	for i, name := range w.names {
		w.nodes[i+1].layer = l.layer
		l.followed = append(l.followed, step{w.nodes[i], name, w.nodes[i+1]})
	}
	l.followed = append(l.followed, w.linkSteps...)
	return w.current(), nil
}

// replace puts a file of the layer into the tree, unless another one came to the same place through a link.
func (l *layering) replace(in *node, name string, n *node, path string) error {
	if old := in.child(name); old != nil && old.layer == l.layer && !sameFile(old, n) {
		return l.dependsOnOrder(path)
	}
	in.put(name, n)
	return nil
}

// sameFile reports whether two files are equivalent.
func sameFile(a, b *node) bool {
	if a.dir || b.dir || a.kind() != b.kind() || a.executable() != b.executable() {
		return false
	}
	if a.file == nil || b.file == nil {
		return a.file == b.file
	}
	return a.file.Target == b.file.Target && a.file.Text == b.file.Text && a.file.Problem == b.file.Problem &&
		reflect.DeepEqual(a.file.Fact, b.file.Fact)
}

func (l *layering) dependsOnOrder(path string) error {
	return ambiguous(path, "a link of a lower layer leads there, and the result depends on the order of entries")
}
