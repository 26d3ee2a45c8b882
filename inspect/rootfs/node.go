package rootfs

import (
	"sync/atomic"
)

// node is a file or directory, in one layer or in the image. The plain files of a layer share two nodes, so that each
// needs only its name and a pointer.
type node struct {
	children map[string]*node // of a directory
	file     *File            // of a program or link
	layer    int              // in which the node is
	dir      bool
	runnable bool // a plain file with an executable bit
	opaque   bool // a directory that hides what lower layers have in it

	// Only in the view of a single layer.
	gone     bool // a whiteout
	device   bool
	replaced bool // see Folder.Anew
	implied  bool // see Folder.Implied
	late     bool // see Folder.Late
	// affectsLower says that at the node or below it was an implied directory, a hard link to a lower layer or an entry
	// that came through a link: unpacked in place, those change other files of lower layers.
	affectsLower bool
}

func newDir(layer int) *node { return &node{dir: true, layer: layer} }

func (n *node) child(name string) *node { return n.children[name] }

func (n *node) put(name string, child *node) {
	if n.children == nil {
		n.children = make(map[string]*node, 1)
	}
	n.children[name] = child
}

func (n *node) isLink() bool { return n.file != nil && n.file.Type == Symlink }

// executable reports whether the file has an executable bit.
func (n *node) executable() bool { return n.runnable || n.file != nil && n.file.Runnable() }

func (n *node) kind() Type {
	switch {
	case n.dir:
		return Directory
	case n.file != nil:
		return n.file.Type
	}
	return Plain
}

// The memory of nodes in bytes, roughly: measured with maps of a few names each.
const (
	dirCost  = 320
	nameCost = 56
	fileCost = 200
	factCost = 600
)

func (f *File) cost() int64 {
	n := fileCost + len(f.Path) + len(f.Target) + len(f.Text) + len(f.Problem)
	if f.Fact != nil {
		n += factCost + len(f.Fact.Interp) + len(f.Fact.InterpArg) + len(f.Fact.ISA) + len(f.Fact.BuildID) +
			len(f.Fact.Script)
	}
	return int64(n)
}

// memoryBudget is the memory that several layers may use together.
type memoryBudget struct {
	limit int64
	spent atomic.Int64
}

func (p *memoryBudget) take(n int64) error {
	if p.spent.Add(n) > p.limit {
		return &LimitError{What: "bytes of memory for names", Limit: p.limit}
	}
	return nil
}

func (p *memoryBudget) release(n int64) { p.spent.Add(-n) }

// remaining returns a budget of what is left, for data that is dropped soon.
func (p *memoryBudget) remaining() *memoryBudget {
	return &memoryBudget{limit: p.limit - p.spent.Load()}
}
