package registry

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteOptions tune how a file is written. The zero value suits files that only their owner may read.
type WriteOptions struct {
	Mode fs.FileMode // less the umask; default: 0o600
	// Temp is the path of the file until it is complete, on the same file system. A * at its end becomes unique text;
	// without one, an existing file is overwritten. Default: next to the file, hidden.
	Temp string
	// NoDirSync leaves it to the caller to sync the directory, once for several files; NoSync is for files that can be
	// made again: a crash may leave a partial one.
	NoDirSync, NoSync bool
}

// PendingFile is a file that appears under its name only when it is complete.
type PendingFile struct {
	*os.File
	path    string
	options WriteOptions
}

// CreatePending starts writing the file at path. Commit completes it.
func CreatePending(path string, o WriteOptions) (*PendingFile, error) {
	temp := cmp.Or(o.Temp, filepath.Join(filepath.Dir(path), ".mtool-*"))
	f, err := createTemp(temp, cmp.Or(o.Mode, 0o600))
	if err != nil {
		return nil, err
	}
	return &PendingFile{File: f, path: path, options: o}, nil
}

// createTemp is os.CreateTemp with the caller's mode, less the umask.
func createTemp(path string, mode fs.FileMode) (f *os.File, err error) {
	prefix, random := path, false
	if n := len(path) - 1; path[n] == '*' {
		prefix, random = path[:n], true
	}
	if !random {
		return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, mode)
	}
	for range 100 {
		f, err = os.OpenFile(fmt.Sprint(prefix, rand.Text()), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, err
}

// Commit gives the file its name, so that it survives a power cut. If failed, the error of writing it, is not nil, or
// Commit fails, nothing is left, and the old file keeps its name.
func (f *PendingFile) Commit(failed error) error {
	err := failed
	if err == nil && !f.options.NoSync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	switch {
	case err != nil:
		return errors.Join(err, RemoveFile(f.Name()))
	case f.options.NoSync, f.options.NoDirSync:
		return nil
	}
	return SyncDir(filepath.Dir(f.path))
}

// WriteFile writes a file completely or not at all: readers, even after a crash, see the old content or all that
// write wrote.
func WriteFile(path string, o WriteOptions, write func(io.Writer) error) error {
	f, err := CreatePending(path, o)
	if err != nil {
		return err
	}
	return f.Commit(write(f))
}

// RemoveFile is os.Remove without an error for a missing file.
func RemoveFile(path string) error {
	return IgnoreMissing(os.Remove(path))
}
