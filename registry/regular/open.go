package regular

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrFile is the kind of all errors about an existing path that is not read: not a regular file, too large, or a link
// that leads out.
var ErrFile = errors.New("not a readable file")

// fileError describes what a path is instead of a readable file.
type fileError struct{ path, is string }

func (e *fileError) Error() string        { return fmt.Sprintf("%q %s", e.path, e.is) }
func (e *fileError) Is(target error) bool { return target == ErrFile }

// openFlags open without waiting for a pipe's writer, and without making a terminal this process's own.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY

// opener is an *os.Root, or the whole machine.
type opener interface {
	Stat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
}

type machine struct{}

func (machine) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

func (machine) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

// Open opens a regular file. Links are followed. A missing file is an error that wraps fs.ErrNotExist.
func Open(path string) (*os.File, error) { return open(machine{}, path) }

// OpenIn opens a regular file below root. A link that leads out of root is an error, wherever it leads.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	f, err := open(root, name)
	if escapes(err) {
		err = &fileError{name, fmt.Sprintf("is a link that leads out of %q", root.Name())}
	}
	return f, err
}

// escapes recognises, by its text, the one error of os.Root that has no name.
func escapes(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && p.Err.Error() == "path escapes from parent"
}

func open(in opener, path string) (*os.File, error) {
	info, err := in.Stat(path)
	if err == nil {
		err = check(path, info) // before: opening a device can make it act
	}
	if err != nil {
		return nil, err
	}
	f, err := in.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	if err == nil {
		err = check(path, info) // after: it may have been replaced meanwhile
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// check accepts regular files, and the null device, which is empty: people name it to mean "no file".
func check(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(null, info) {
		return nil
	}
	return &fileError{path, "is " + kind(info.Mode()) + ", not a regular file"}
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// IsHeld reports whether path names a file that this process has open: standard input, or the pipe that a shell makes
// of <(command).
func IsHeld(path string) bool {
	path = filepath.Clean(path)
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// DirFS is an fs.FS of the regular files below a directory. Links are followed, even out of it: programs share the
// blobs of layouts that way.
type DirFS string

// Open implements fs.FS.
func (d DirFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return nil, err // not f, which would be a non-nil interface
	}
	return f, nil
}
