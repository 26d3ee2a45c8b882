package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// inode identifies a file. Changed is the time of the last change, in nanoseconds; 0 when the system keeps none.
type inode struct {
	Dev, Ino uint64
	Changed  int64
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

// Walk implements fsutil.FS like filepath.WalkDir, but without the directory itself.
func (t *Tree) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	target = filepath.Join(".", target)
	n, err := t.find(target)
	if err != nil {
		return err
	}
	if n == nil {
		err = fn(target, nil, &fs.PathError{Op: "lstat", Path: target, Err: fs.ErrNotExist})
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a pattern may name a missing file
		}
		return err
	}
	err = t.walk(ctx, n, fn, map[inode]*node{})
	if errors.Is(err, fs.SkipDir) || errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

func (t *Tree) walk(ctx context.Context, n *node, fn fs.WalkDirFunc, first map[inode]*node) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := &entry{t: t, n: n, first: first}
	if n != t.top {
		if err := fn(n.path, e, nil); err != nil || !n.kind.IsDir() {
			return skipped(err, n)
		}
	}
	children, err := t.list(n)
	if err != nil {
		if n == t.top {
			return t.locked(err)
		}
		if told := fn(n.path, e, err); told != nil {
			if errors.Is(told, err) {
				told = t.locked(err)
			}
			return skipped(told, n)
		}
	}
	for _, child := range children {
		switch err := t.walk(ctx, child, fn, first); {
		case errors.Is(err, fs.SkipDir):
			return nil // returned for a file: the rest of its directory
		case err != nil:
			return err
		}
	}
	return nil
}

func (t *Tree) locked(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fail(err)
}

// skipped ends the skipping of a directory at that directory.
func skipped(err error, n *node) error {
	if n.kind.IsDir() && errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
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

// look reads the attributes of a node once, and decides whether a worker may have other content for it.
func (t *Tree) look(n *node) error {
	if n.stat != nil {
		return nil
	}
	path := filepath.Join(t.dir, n.path)
	info, err := os.Lstat(path)
	if err != nil {
		return t.fail(err)
	}
	if info.Mode().Type() != n.onDisk {
		return t.fail(changed(n))
	}
	if n.kind&fs.ModeDevice != 0 && t.o.Devices.Refused != nil {
		return t.fail(&DeviceError{Path: n.path, Err: t.o.Devices.Refused})
	}
	stat, err := fsutil.Stat(path)
	if err != nil {
		return t.fail(err)
	}
	stat.Path, stat.Uid, stat.Gid = n.path, 0, 0 // root owns what is copied, as with docker build
	delete(stat.Xattrs, t.o.Hidden)
	t.asArchived(stat)
	n.id, n.links = inodeOf(info)
	if n.kind.IsRegular() {
		if err := t.compare(n, stat); err != nil {
			return t.fail(err)
		}
	}
	n.stat = stat
	return nil
}

func changed(n *node) error {
	return fmt.Errorf("%q was changed while it was read: build again", n.path)
}

// entry is a node as one walk shows it.
type entry struct {
	t     *Tree
	n     *node
	first map[inode]*node // where the walk first met a file with several links
}

func (e *entry) Name() string      { return filepath.Base(e.n.path) }
func (e *entry) IsDir() bool       { return e.n.kind.IsDir() }
func (e *entry) Type() fs.FileMode { return e.n.kind }

// Info returns a FileInfo with a *types.Stat, as BuildKit requires.
func (e *entry) Info() (fs.FileInfo, error) {
	e.t.mu.Lock()
	defer e.t.mu.Unlock()
	if err := e.t.look(e.n); err != nil {
		return nil, err
	}
	stat := e.n.stat.Clone()
	resend := e.n.resend
	if e.n.links > 1 && e.n.kind.IsRegular() {
		if n, ok := e.first[e.n.id]; ok && n != e.n {
			stat.Linkname, stat.Size = n.path, 0
			resend = resend || n.resend
		} else if !ok {
			e.first[e.n.id] = e.n
		}
	}
	if resend {
		// Files of a worker never have this bit, which means nothing there: the worker sees a difference and asks for
		// the content.
		stat.Mode |= uint32(fs.ModeTemporary)
	}
	return &fsutil.StatInfo{Stat: stat}, nil
}

// Open implements fsutil.FS. It never fails: BuildKit's sender takes a file that can't be opened for an empty one, and
// stops only when one can't be read.
func (t *Tree) Open(path string) (io.ReadCloser, error) {
	n, err := t.find(filepath.Join(".", path))
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && n == nil {
		err = t.fail(fmt.Errorf("%q is not in the build context", path))
	}
	if err == nil {
		err = t.look(n)
	}
	if err != nil {
		return failing{err}, nil
	}
	if !n.kind.IsRegular() {
		return failing{io.EOF}, nil // a socket, which arrives as an empty file
	}
	r, err := t.open(n, n.stat)
	if err != nil {
		return failing{t.fail(err)}, nil
	}
	return r, nil
}

// failing is a file that can't be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
func (f failing) Close() error             { return nil }
