package rootfs

import "strings"

// overlay merges the layer into the tree like the kernel's overlay file system. Paths are literal: a directory of the
// layer replaces a link of a lower one, and merges with a directory, whatever else the layer had there before.
func (l *layering) overlay(linked map[int]*node) error {
	for _, w := range l.facts.Whiteouts {
		if dir := l.at(parent(w)); dir != nil {
			delete(dir.children, base(w))
		}
	}
	// Directories come before files: an opaque directory must be empty before the first file of this layer.
	for i := range l.facts.Folders {
		f := &l.facts.Folders[i]
		if err := l.compare(f); err != nil {
			return err
		}
		if dir := l.at(f.Path); f.Opaque && dir != nil {
			dir.children = nil
		}
	}
	for i := range l.facts.Folders {
		dir, err := l.mkdir(l.facts.Folders[i].Path)
		if err != nil {
			return err
		}
		put := func(name string, n *node) error {
			dir.put(name, n)
			return nil
		}
		if err := l.putNames(&l.facts.Folders[i], put); err != nil {
			return err
		}
	}
	for i := range l.facts.Files {
		n := linked[i]
		if n == nil {
			n = &node{file: &l.facts.Files[i], layer: l.layer}
		}
		if err := l.insert(l.facts.Files[i].Path, n); err != nil {
			return err
		}
	}
	return nil
}

// compare records whether unpacking in place would result in another tree.
func (l *layering) compare(f *Folder) error {
	switch {
	case f.Replaced:
		dir := l.at(f.Path)
		l.differs = l.differs || len(l.gaps) > 0 || dir != nil && len(dir.children) > 0
	case f.Implied || f.Late:
		dir := l.at(parent(f.Path))
		if dir == nil {
			return nil
		}
		lower := dir.child(base(f.Path))
		switch {
		case lower == nil || lower.dir:
		case !lower.isLink() && f.Implied && l.onlyWhiteouts(f):
			return ambiguous(f.Path, "there are whiteouts below a file that is not a directory")
		default:
			l.differs = l.differs || lower.isLink()
		}
	}
	return nil
}

// onlyWhiteouts reports whether the layer has nothing but whiteouts at a directory.
func (l *layering) onlyWhiteouts(f *Folder) bool {
	file, _ := l.file(f.Path + "/")
	if file < len(l.facts.Files) && strings.HasPrefix(l.facts.Files[file].Path, f.Path+"/") {
		return false
	}
	first, _ := l.folder(f.Path)
	for _, below := range l.facts.Folders[first:] {
		switch {
		case below.Path != f.Path && !strings.HasPrefix(below.Path, f.Path+"/"):
			return true
		case !below.Implied || below.Names+below.Runnable != "":
			return false
		}
	}
	return true
}

// at returns the directory at path, or nil. It follows no links.
func (l *layering) at(path string) *node {
	n := l.root
	for name := range parts(path) {
		if n = n.child(name); n == nil || !n.dir {
			return nil
		}
	}
	return n
}

// mkdir returns the directory at path. It replaces everything else in the path with directories.
func (l *layering) mkdir(path string) (*node, error) {
	n := l.root
	for name := range parts(path) {
		child := n.child(name)
		if child == nil || !child.dir {
			child = newDir(l.layer)
			n.put(name, child)
			if err := l.budget.take(dirCost + int64(len(name))); err != nil {
				return nil, err
			}
		}
		child.layer = l.layer
		n = child
	}
	return n, nil
}

func (l *layering) insert(path string, n *node) error {
	dir, err := l.mkdir(parent(path))
	if err != nil {
		return err
	}
	dir.put(base(path), n)
	return l.budget.take(nameCost + fileCost)
}
