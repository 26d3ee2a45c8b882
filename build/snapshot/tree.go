package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// Options configure a Tree; the zero value sends all files.
type Options struct {
	Memory *Memory // what workers may have of these files; nil: nothing
	Name   string  // the name of the directory in Memory

	Entries map[string]Entry // the files of an archive, by path with slashes; nil: the files on disk count
	Devices Devices          // what happens to devices
	Hidden  string           // an extended attribute that workers never get, since it has another meaning there

	// Failed, if set, is called with the first thing that keeps the tree from being read. BuildKit's sender waits
	// forever after a file that could not be read, so the build must be ended.
	Failed func(error)
}

// Tree is a directory whose parts are read once: when they are first requested.
type Tree struct {
	dir string
	o   Options

	mu  sync.Mutex // guards all below
	top *node
	err error
}

var _ fsutil.FS = (*Tree)(nil)

// node is one entry of a directory. All fields but path and kind are set once it was looked at.
type node struct {
	path   string // below the tree's directory; "." is that
	kind   fs.FileMode
	onDisk fs.FileMode // the kind on disk: an archive's device or pipe is another one

	listed   bool
	children []*node

	stat   *types.Stat
	id     inode
	links  uint64
	sum    *digest // the content that was sent or compared
	resend bool    // a worker may have another content with this size and time
}

// New returns a tree of dir.
func New(dir string, o Options) (*Tree, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%q is not a directory", dir)
	}
	return &Tree{dir: real, o: o, top: &node{path: ".", kind: fs.ModeDir, onDisk: fs.ModeDir}}, nil
}

// Err returns the first thing that kept the tree from being read, or nil. A worker reports it in other words, or not at
// all.
func (t *Tree) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// fail records and returns err, without what would make it look like a missing file: such a file is left out silently.
func (t *Tree) fail(err error) error {
	err = &readError{err}
	if t.err == nil {
		t.err = err
		if t.o.Failed != nil {
			t.o.Failed(err)
		}
	}
	return err
}

type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// As finds a DeviceError, and nothing else.
func (e *readError) As(target any) bool {
	to, ok := target.(**DeviceError)
	return ok && errors.As(e.err, to)
}

// Is lets only a lack of permission through.
func (e *readError) Is(target error) bool {
	return target == fs.ErrPermission && errors.Is(e.err, fs.ErrPermission)
}

func (t *Tree) locked(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fail(err)
}

// find returns the node at path, or nil.
func (t *Tree) find(path string) (*node, error) {
	if path == "." {
		return t.top, nil
	}
	parent, err := t.find(filepath.Dir(path))
	if err != nil || parent == nil || !parent.kind.IsDir() {
		return nil, err
	}
	children, err := t.list(parent)
	if err != nil {
		return nil, t.locked(err)
	}
	for _, c := range children {
		if c.path == path {
			return c, nil
		}
	}
	return nil, nil
}

// list reads a directory once.
func (t *Tree) list(n *node) ([]*node, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.listed {
		return n.children, nil
	}
	entries, err := os.ReadDir(filepath.Join(t.dir, n.path))
	if err != nil {
		return nil, &readError{err}
	}
	for _, e := range entries {
		path := filepath.Join(n.path, e.Name())
		kind := t.kindOf(path, e.Type())
		if kind&fs.ModeDevice != 0 && t.o.Devices.Skip {
			continue
		}
		n.children = append(n.children, &node{path: path, kind: kind, onDisk: e.Type()})
	}
	n.listed = true
	return n.children, nil
}

func changed(n *node) error {
	return fmt.Errorf("%q was changed while it was read: build again", n.path)
}
