package rootfs

import (
	"errors"
	"reflect"
	"slices"
	"strings"
)

// errRefused says that no runtime unpacks the layers in place.
var errRefused = errors.New("not unpacked in place")

// unpack lays the layer over the tree as runtimes do that unpack it in the directory that lower layers were unpacked
// in: links of those are followed where the layer has only something below, and what the layer removed or replaced once
// is gone for good.
//
// The facts say what the layer has at its end, but not in which order. Where the order matters, the layer is refused.
func (l *layering) unpack(linked map[int]*node) error {
	dirs := make(map[string]*node, len(l.facts.Folders))
	for i := range l.facts.Folders {
		f := &l.facts.Folders[i]
		dir, err := l.enter(f, dirs[parent(f.Path)])
		if errors.Is(err, errRefused) && l.throughLink() {
			return l.aliased(f.Path)
		}
		if err != nil {
			return err
		}
		dirs[f.Path] = dir
		put := func(name string, n *node) error { return l.replace(dir, name, n, join(f.Path, name)) }
		if err := l.names(f, put); err != nil {
			return err
		}
	}
	for i := range l.facts.Files {
		n, path := linked[i], l.facts.Files[i].Path
		if n != nil && len(l.followed) > 0 {
			return l.aliased(path)
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
		kid := dirs[parent(w)].kid(base(w))
		if kid != nil && kid.layer == l.layer {
			return l.aliased(w)
		}
		delete(dirs[parent(w)].kids, base(w))
	}
	return l.unmoved()
}

// throughLink reports whether a directory of the layer is a link of a lower one: by it, an entry may have made room for
// a later one.
func (l *layering) throughLink() bool {
	return len(l.followed) > 0 || slices.ContainsFunc(l.facts.Folders, func(f Folder) bool {
		at := l.root
		for name := range strings.SplitSeq(f.Path, "/") {
			if at = at.kid(name); at == nil || !at.dir {
				break
			}
		}
		return f.Implied && at != nil && at.isLink()
	})
}

// unmoved refuses a layer that changes what its links of lower layers lead through.
func (l *layering) unmoved() error {
	for _, s := range l.followed {
		if s.in.kid(s.name) != s.n || l.emptied[s.in] || l.emptied[s.n] {
			return l.aliased(s.name)
		}
	}
	if len(l.followed) > 0 && len(l.facts.Skipped) > 0 {
		return l.aliased(l.facts.Skipped[0])
	}
	return nil
}

// enter goes to a directory of the layer, in its parent.
func (l *layering) enter(f *Folder, in *node) (*node, error) {
	if in == nil { // the root
		if l.root.layer = l.layer; f.Anew || f.Opaque {
			l.root.kids, l.emptied[l.root] = nil, true
		}
		return l.root, nil
	}
	kid := in.kid(base(f.Path))
	if err := l.orderly(f, kid); err != nil {
		return nil, err
	}
	if f.Implied && kid != nil && kid.isLink() {
		return l.follow(f)
	}
	replaced := f.Anew || f.Opaque || kid != nil && !kid.dir
	if kid == nil || replaced {
		kid = newDir(l.layer)
		in.put(base(f.Path), kid)
		if err := l.budget.take(dirCost + int64(len(f.Path))); err != nil {
			return nil, err
		}
	}
	kid.layer, l.emptied[kid] = l.layer, replaced
	return kid, nil
}

// orderly refuses a directory of the layer for what lower layers, or the layer itself by a link, have there.
func (l *layering) orderly(f *Folder, kid *node) error {
	switch {
	case kid == nil:
	case kid.layer == l.layer && (!kid.dir || f.Anew || f.Opaque), f.Late && kid.isLink():
		return l.aliased(f.Path)
	case !f.Implied || kid.dir || kid.isLink():
	case l.empty(f):
		return ambiguous(f.Path, "there are whiteouts below what is no directory")
	case l.left[f.Path]:
		return ambiguous(f.Path, "it lies below a device, which not all runtimes make")
	default:
		return errRefused
	}
	return nil
}

// follow goes to a directory that is a link of a lower layer.
func (l *layering) follow(f *Folder) (*node, error) {
	if f.Opaque {
		return nil, ambiguous(f.Path, "an opaque marker below a link of a lower layer")
	}
	w := newWalk(l.root)
	w.strict = true
	w.mkdir = func(in *node, name string) (*node, error) {
		kid := newDir(l.layer)
		in.put(name, kid)
		return kid, l.budget.take(dirCost + int64(len(name)))
	}
	switch err := w.to(f.Path, true); {
	case errors.Is(err, ErrLimit), errors.Is(err, ErrUnchecked):
		return nil, err
	case err != nil:
		return nil, ambiguous(f.Path, err.Error())
	case !w.here().dir:
		return nil, ambiguous(f.Path, "a link of a lower layer leads to what is no directory")
	}
	for i, name := range w.names {
		w.way[i+1].layer = l.layer
		l.followed = append(l.followed, step{w.way[i], name, w.way[i+1]})
	}
	l.followed = append(l.followed, w.passed...)
	return w.here(), nil
}

// replace puts a file of the layer; another one may have come to the same place by a link.
func (l *layering) replace(in *node, name string, n *node, path string) error {
	if old := in.kid(name); old != nil && old.layer == l.layer && !sameFile(old, n) {
		return l.aliased(path)
	}
	in.put(name, n)
	return nil
}

// sameFile reports whether it makes no difference which of two files there is.
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

func (l *layering) aliased(path string) error {
	return ambiguous(path, "a link of a lower layer leads there, and what comes of it depends on the order of entries")
}
