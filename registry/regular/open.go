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

// ErrFile is the kind of all errors about what is there and is not read: no regular file, one that is too large, or a link
// that leads out.
var ErrFile = errors.New("not a file that is read")

// fileError says what a path is instead of a file that can be read.
type fileError struct{ path, is string }

func (e *fileError) Error() string        { return fmt.Sprintf("%q %s", e.path, e.is) }
func (e *fileError) Is(target error) bool { return target == ErrFile }

// without waiting for who writes into a pipe, and without making a terminal this process's own.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY

// opener is *os.Root, or the whole machine.
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

// OpenIn opens a regular file below root. A link that leads out of root is an error, whatever it leads to.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	f, err := open(root, name)
	if escapes(err) {
		err = &fileError{name, fmt.Sprintf("is a link that leads out of %q", root.Name())}
	}
	return f, err
}

// escapes tells by its words the one error of os.Root that has no name.
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

// check lets regular files through, and the null device, which is empty: people name it to say that there is no file.
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

// IsHeld reports whether path names a file that this process has open already: standard input, or the pipe that a shell
// makes of <(command).
func IsHeld(path string) bool {
	path = filepath.Clean(path)
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// DirFS are the regular files below a directory, as an fs.FS. Links are followed, out of it too: programs share the blobs of
// layouts that way.
type DirFS string

// Open implements fs.FS.
func (d DirFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, err := Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return nil, err // not f, which would be no nil interface
	}
	return f, nil
}
