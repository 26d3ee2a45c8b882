package rootfs

import (
	"fmt"
	"strings"

	"mtool/registry"
)

// maxTree bounds the memory of a Tree's nodes, in bytes, roughly.
const maxTree = 40 << 20

// Merge lays the layers of an image over each other, the lowest first: upper files hide lower ones, directories merge,
// whiteouts and opaque directories hide what lies below their layer. Hard links to files of lower layers become what they
// mean. The facts must not be changed as long as the Tree is in use.
//
// A zero LayerFacts is a layer that was not read: the Tree says so (see Tree.Gaps), and whatever is not found in it is
// ErrUnread instead of ErrMissing. The same holds for a layer of which only the beginning was read. Errors wrap ErrSchema, ErrLimit or, for a hard link to nothing, registry.ErrContent.
func Merge(layers []LayerFacts) (*Tree, error) {
	t := &Tree{root: newDir(0), purse: purse{limit: maxTree}}
	for i := range layers {
		if layers[i].Schema == "" || layers[i].Part == Beginning {
			t.gaps = append(t.gaps, i)
		}
		if layers[i].Schema == "" {
			t.digests = append(t.digests, layers[i].Digest)
			continue
		}
		if err := t.add(&layers[i]); err != nil {
			return nil, fmt.Errorf("merging layer %d, %s: %w", i, layers[i].Digest, err)
		}
	}
	return t, nil
}

// add lays one layer over the tree.
func (t *Tree) add(f *LayerFacts) error {
	if f.Schema != Schema {
		return fmt.Errorf("%w %q, not %q", ErrSchema, f.Schema, Schema)
	}
	l := overlay{Tree: t, layer: len(t.digests)}
	t.digests = append(t.digests, f.Digest)
	// Links mean files as they were before this layer hid any.
	linked, err := l.linked(f.Files)
	if err != nil {
		return err
	}
	for _, w := range f.Whiteouts {
		l.remove(w)
	}
	// Directories before files: what was opaque must be empty when the first file of this layer comes.
	for i := range f.Folders {
		if f.Folders[i].Opaque {
			l.empty(f.Folders[i].Path)
		}
	}
	if err := l.folders(f.Folders); err != nil {
		return err
	}
	for i := range f.Files {
		n := linked[i]
		if n == nil {
			n = &node{file: &f.Files[i], layer: l.layer}
		}
		if err := l.place(f.Files[i].Path, n); err != nil {
			return err
		}
	}
	return nil
}

// overlay is a layer on its way into a tree. Its paths are taken literally: a directory of the layer replaces a link of a
// lower one, as in the kernel's overlay file system.
type overlay struct {
	*Tree
	layer int
}

// linked finds what the hard links to lower layers mean, by the index of the link.
func (l overlay) linked(files []File) (map[int]*node, error) {
	found := map[int]*node{}
	for i := range files {
		if files[i].Type != Hardlink {
			continue
		}
		w := newWalk(l.root)
		err := w.to(parent(files[i].Target), true)
		if err == nil {
			err = w.to(base(files[i].Target), false)
		}
		switch {
		case err != nil && len(l.gaps) > 0: // it may be there: the link stays one, and is no program
			continue
		case err != nil:
			return nil, fmt.Errorf("%w: hard link %q to %q: %w", registry.ErrContent, files[i].Path, files[i].Target, err)
		case w.here().dir:
			return nil, fmt.Errorf("%w: hard link %q to the directory %q", registry.ErrContent, files[i].Path, files[i].Target)
		}
		n := *w.here()
		n.layer = l.layer
		if n.file != nil {
			file := *n.file
			if file.Type == Unread && file.home == nil {
				file.home = &home{w.here().layer, file.Path}
			}
			file.Path = files[i].Path
			n.file = &file
		}
		found[i] = &n
	}
	return found, nil
}

// remove takes path away, as far as lower layers have it. No link is followed.
func (l overlay) remove(path string) {
	if dir := l.dir(parent(path)); dir != nil {
		delete(dir.kids, base(path))
	}
}

// empty takes away what lower layers have in a directory.
func (l overlay) empty(path string) {
	if dir := l.dir(path); dir != nil {
		dir.kids = nil
	}
}

// dir is the directory at path, or nil.
func (l overlay) dir(path string) *node {
	n := l.root
	for name := range parts(path) {
		if n = n.kid(name); n == nil || !n.dir {
			return nil
		}
	}
	return n
}

func (l overlay) folders(folders []Folder) error {
	plain, runnable := &node{layer: l.layer}, &node{layer: l.layer, runnable: true}
	for _, f := range folders {
		dir, err := l.mkdir(f.Path)
		if err != nil {
			return err
		}
		for name := range parts(f.Names) {
			dir.put(name, plain)
		}
		for name := range parts(f.Runnable) {
			dir.put(name, runnable)
		}
		cost := len(f.Names) + len(f.Runnable) + nameCost*(strings.Count(f.Names, "/")+strings.Count(f.Runnable, "/")+2)
		if err := l.purse.take(int64(cost)); err != nil {
			return err
		}
	}
	return nil
}

// mkdir goes to path, and makes a directory of everything on the way that is none.
func (l overlay) mkdir(path string) (*node, error) {
	n := l.root
	for name := range parts(path) {
		kid := n.kid(name)
		if kid == nil || !kid.dir {
			kid = newDir(l.layer)
			n.put(name, kid)
			if err := l.purse.take(dirCost + int64(len(name))); err != nil {
				return nil, err
			}
		}
		kid.layer = l.layer
		n = kid
	}
	return n, nil
}

func (l overlay) place(path string, n *node) error {
	dir, err := l.mkdir(parent(path))
	if err != nil {
		return err
	}
	dir.put(base(path), n)
	return l.purse.take(nameCost + fileCost)
}
