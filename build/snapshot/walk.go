package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

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
		if result := fn(n.path, e, err); result != nil {
			if errors.Is(result, err) {
				result = t.locked(err)
			}
			return skipped(result, n)
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

// skipped ends the skipping of a directory at that directory.
func skipped(err error, n *node) error {
	if n.kind.IsDir() && errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

// entry is a node as one walk shows it.
type entry struct {
	t     *Tree
	n     *node
	first map[inode]*node // where the walk first met a file with several links
}

func (e *entry) Name() string { return filepath.Base(e.n.path) }

func (e *entry) IsDir() bool { return e.n.kind.IsDir() }

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

// compare decides whether a worker may have other content than today's under a node's size and time.
func (t *Tree) compare(n *node, stat *types.Stat) error {
	m := t.o.Memory
	if m == nil {
		return nil
	}
	r := m.recall(t.key(n), stat.Size, stat.ModTime)
	if r == nil {
		return nil // no worker has it: when one requests it, it is recorded
	}
	if sum, ok := m.unchanged(t.key(n), n.id, stat); ok {
		n.sum = &sum
	} else {
		f, err := t.open(n, stat)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	n.resend = m.varies(t.key(n), stat.Size, stat.ModTime)
	return nil
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

func (f failing) Close() error { return nil }
