package rootfs

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Tree is the file system of an image, as far as its layers were read. It does not change, and several goroutines may
// use it at once.
type Tree struct {
	root    *node
	reading Reading
	differs bool            // another reading has another tree
	skipped map[string]bool // LayerFacts.Skipped of all layers
	digests []v1.Hash
	gaps    []int
	budget  memoryBudget
}

// Entry is one visible file or directory.
type Entry struct {
	Path     string // without a leading slash and without links; "" is the root
	Type     Type
	Runnable bool  // it has an executable bit; false for directories and links
	File     *File // of a program, a link or a text; nil otherwise. It must not be changed
	Layer    int   // its layer, counted from the lowest, 0; for a directory the uppermost that has it
	Digest   v1.Hash
}

// Listed returns the layer whose table lists an Unread file, and its path in the table.
func (e Entry) Listed() (layer int, path string) {
	if e.File != nil && e.File.origin != nil {
		return e.File.origin.layer, e.File.origin.path
	}
	return e.Layer, e.Path
}

// Reading returns how runtimes build the tree.
func (t *Tree) Reading() Reading { return t.reading }

// Gaps returns the indices of the layers that were not read.
func (t *Tree) Gaps() []int { return slices.Clone(t.gaps) }

// All yields all visible entries, directories before their content, names in byte order.
func (t *Tree) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) { t.walk("", t.root, yield) }
}

// Dir looks for a working directory as a runtime does: links are followed, and missing directories are created.
// created reports whether that is needed. An error wraps ErrMissing if a file is in the way, or ErrLoop.
func (t *Tree) Dir(path string) (created bool, err error) {
	if _, err = t.Lookup(path + "/"); err == nil || !errors.Is(err, ErrMissing) {
		return false, nil
	}
	w := newWalk(t.root)
	w.mkdir = func(*node, string) (*node, error) { return newDir(0), nil }
	return true, w.to("/"+path+"/", true)
}

// In yields the content of a directory, names in byte order; nothing if the path is not a directory.
func (t *Tree) In(dir string) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		w := newWalk(t.root)
		if w.to("/"+dir+"/", true) != nil {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(w.current().children)) {
			if !yield(t.entry(join(w.path(), name), w.current().child(name))) {
				return
			}
		}
	}
}

func (t *Tree) walk(path string, n *node, yield func(Entry) bool) bool {
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child, path := n.children[name], join(path, name)
		if !yield(t.entry(path, child)) || !t.walk(path, child, yield) {
			return false
		}
	}
	return true
}

func (t *Tree) entry(path string, n *node) Entry {
	e := Entry{Path: path, Type: n.kind(), File: n.file, Layer: n.layer, Runnable: n.runnable}
	if n.file != nil {
		e.Runnable = n.file.Runnable()
	}
	if n.layer < len(t.digests) {
		e.Digest = t.digests[n.layer]
	}
	return e
}

// Found is an Entry and the links that lead to it.
type Found struct {
	Entry
	Links []string // symbolic links that were followed, as "bin -> usr/bin"
}

// Lookup finds path like a process with the image as its root: it follows all symbolic links, and neither links nor
// ".." leave the root. A relative path starts at the root. Errors wrap ErrMissing (or ErrUnread, if there are gaps)
// or ErrLoop.
func (t *Tree) Lookup(path string) (Found, error) { return t.lookup("/", path) }

// lookup starts at dir, unless path is absolute. A missing dir is empty, since runtimes create it.
func (t *Tree) lookup(dir, path string) (Found, error) {
	w := newWalk(t.root)
	var err error
	if !strings.HasPrefix(path, "/") {
		if len(t.gaps) == 0 {
			w.mkdir = func(*node, string) (*node, error) { return newDir(0), nil }
		}
		err = w.to(dir+"/", true)
		w.mkdir = nil
	}
	if err == nil {
		err = w.to(path, true)
	}
	if err != nil {
		return Found{}, t.missingOrUnread(err)
	}
	return Found{Entry: t.entry(w.path(), w.current()), Links: w.links}, nil
}

// missingOrUnread turns ErrMissing into ErrUnread if layers were not read.
func (t *Tree) missingOrUnread(err error) error {
	if len(t.gaps) > 0 && errors.Is(err, ErrMissing) {
		return fmt.Errorf("%w: layers %v were not read", ErrUnread, t.gaps)
	}
	return err
}
