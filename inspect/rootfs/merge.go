package rootfs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/registry"
)

// maxTree limits the memory of a Tree's nodes, in bytes, roughly.
const maxTree = 40 << 20

// Reading is a way in which runtimes turn the layers of an image into a file system.
type Reading string

// The readings.
const (
	// Overlay: each layer is unpacked into its own directory, and overlayfs merges them. Docker, containerd and Podman
	// usually do that.
	Overlay Reading = "overlayfs"
	// InPlace: each layer is unpacked over those below it. Runtimes without overlayfs or without privileges do that.
	InPlace Reading = "unpacking in place"
)

// Readings returns the trees that runtimes may show: that of overlayfs and, if it differs, that of unpacking in
// place. See Merge.
func Readings(layers []LayerFacts) ([]*Tree, error) {
	tree, err := Merge(layers)
	if err != nil || !tree.differs {
		return []*Tree{tree}, err
	}
	other, err := merge(layers, InPlace)
	switch {
	case errors.Is(err, errNotInPlace): // there is no other reading
		return []*Tree{tree}, nil
	case err != nil:
		return nil, err
	}
	return []*Tree{tree, other}, nil
}

// Merge merges the layers of an image, the lowest first, as overlayfs does: upper files hide lower ones, directories
// merge, whiteouts and opaque directories hide the content of lower layers. Hard links to files of lower layers are
// resolved. The facts must not be changed as long as the Tree is in use. It is one of Readings.
//
// A zero LayerFacts is a layer that was not read: the Tree says so (see Tree.Gaps), and reports ErrUnread instead of
// ErrMissing. The same applies to a layer of which only the beginning was read. Errors wrap ErrSchema, ErrLimit,
// ErrUnchecked if runtimes read a layer differently or, for a hard link to nothing, registry.ErrContent.
func Merge(layers []LayerFacts) (*Tree, error) { return merge(layers, Overlay) }

func merge(layers []LayerFacts, reading Reading) (*Tree, error) {
	t := &Tree{root: newDir(0), reading: reading, skipped: map[string]bool{}, budget: memoryBudget{limit: maxTree}}
	for i := range layers {
		if layers[i].Schema == "" || layers[i].Part == Beginning {
			t.gaps = append(t.gaps, i)
		}
		if layers[i].Schema == "" {
			t.digests = append(t.digests, layers[i].Digest)
			continue
		}
		if err := t.add(&layers[i]); err != nil {
			if unchecked, ok := errors.AsType[*UncheckedError](err); ok {
				unchecked.Layer = layers[i].Digest
			}
			return nil, fmt.Errorf("merging layer %d, %s: %w", i, layers[i].Digest, err)
		}
	}
	return t, nil
}

// add merges one layer into the tree.
func (t *Tree) add(f *LayerFacts) error {
	if f.Schema != Schema {
		return fmt.Errorf("%w %q, not %q", ErrSchema, f.Schema, Schema)
	}
	l := &layering{Tree: t, facts: f, layer: len(t.digests), emptied: map[*node]bool{}}
	t.digests = append(t.digests, f.Digest)
	for _, name := range f.Skipped {
		t.skipped[name] = true
		if err := l.checkSkipped(name); err != nil {
			return err
		}
	}
	// Hard links refer to files as they were before this layer hid any.
	linked, err := l.resolveHardlinks(f.Files)
	if err != nil {
		return err
	}
	if t.reading == InPlace {
		err = l.unpack(linked)
	} else {
		err = l.overlay(linked)
	}
	return err
}

// layering is a layer that is being merged into a tree.
type layering struct {
	*Tree

	facts *LayerFacts
	layer int
	// followed are the links of lower layers in the paths of the layer's entries, and the directories to which they
	// lead.
	followed []step
	emptied  map[*node]bool // directories that replace what lower layers have there or in them
}

// checkSkipped refuses an entry that only some runtimes apply, if that shows or hides something.
func (l *layering) checkSkipped(path string) error {
	n := l.root
	for name := range parts(path) {
		if !n.dir {
			break
		}
		if n = n.child(name); n == nil {
			return nil
		}
	}
	if n.kind() == Plain && !n.executable() { // either way it is not a program
		return nil
	}
	return ambiguous(path, "only some runtimes apply this entry, and a lower layer has something else there")
}

// resolveHardlinks returns the targets of hard links to lower layers, by the index of the link.
func (l *layering) resolveHardlinks(files []File) (map[int]*node, error) {
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
		case err != nil && len(l.gaps) > 0: // the target may exist: the link stays a link, and is not a program
			continue
		case err != nil:
			return nil, fmt.Errorf("%w: hard link %q to %q: %w", registry.ErrContent, files[i].Path, files[i].Target, err)
		case w.current().dir:
			return nil, fmt.Errorf("%w: hard link %q to the directory %q", registry.ErrContent, files[i].Path, files[i].Target)
		case !w.current().isLink() && w.current().executable() != files[i].Runnable():
			return nil, ambiguous(files[i].Path, "a hard link that changes whether its target is executable")
		case len(w.links) > 0 && l.changes(w.path()):
			return nil, ambiguous(files[i].Path,
				"a hard link leads through a link of a lower layer to a file that its own layer changes")
		}
		found[i] = l.copyAs(w.current(), files[i].Path)
	}
	return found, nil
}

// copyAs returns a file of a lower layer under another path.
func (l *layering) copyAs(n *node, path string) *node {
	same := *n
	same.layer = l.layer
	if n.file != nil {
		file := *n.file
		if file.Type == Unread && file.origin == nil {
			file.origin = &origin{n.layer, file.Path}
		}
		file.Path = path
		same.file = &file
	}
	return &same
}

// changes reports whether the layer has an entry other than a directory at path.
func (l *layering) changes(path string) bool {
	_, file := l.file(path)
	_, gone := slices.BinarySearch(l.facts.Whiteouts, path)
	at, ok := l.folder(parent(path))
	if !ok || file || gone {
		return file || gone
	}
	within := func(names string) bool { return strings.Contains("/"+names+"/", "/"+base(path)+"/") }
	return within(l.facts.Folders[at].Names) || within(l.facts.Folders[at].Runnable)
}

// file returns the index of the file at path, or where it would be.
func (l *layering) file(path string) (int, bool) {
	return slices.BinarySearchFunc(l.facts.Files, path,
		func(f File, path string) int { return strings.Compare(f.Path, path) })
}

// folder returns the index of the directory at path.
func (l *layering) folder(path string) (int, bool) {
	return slices.BinarySearchFunc(l.facts.Folders, path,
		func(f Folder, path string) int { return strings.Compare(f.Path, path) })
}

// putNames puts the plain files of a directory of the layer.
func (l *layering) putNames(f *Folder, put func(name string, n *node) error) error {
	plain, runnable := &node{layer: l.layer}, &node{layer: l.layer, runnable: true}
	for name := range parts(f.Names) {
		if err := put(name, plain); err != nil {
			return err
		}
	}
	for name := range parts(f.Runnable) {
		if err := put(name, runnable); err != nil {
			return err
		}
	}
	cost := len(f.Names) + len(f.Runnable) + nameCost*(strings.Count(f.Names, "/")+strings.Count(f.Runnable, "/")+2)
	return l.budget.take(int64(cost))
}
