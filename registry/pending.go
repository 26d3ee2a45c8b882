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

// WriteOptions tune how a file is written. The zero value is right for what its owner alone may read.
type WriteOptions struct {
	Mode fs.FileMode // less the umask; default: 0o600
	// Temp is where the file lies until it is complete, on the same file system. A * at its end becomes a text that no other
	// file has; without one, a file that is there is overwritten. Default: next to the file, hidden.
	Temp string
	// NoDirSync leaves it to the caller to sync the directory, once for several files; NoSync is for files that can be made
	// again: a crash may leave a part of one.
	NoDirSync, NoSync bool
}

// PendingFile is a file that nobody sees under its name before it is complete.
type PendingFile struct {
	*os.File
	path    string
	options WriteOptions
}

// CreatePending begins to write the file at path. Commit ends it.
func CreatePending(path string, o WriteOptions) (*PendingFile, error) {
	temp := cmp.Or(o.Temp, filepath.Join(filepath.Dir(path), ".mtool-*"))
	f, err := createTemp(temp, cmp.Or(o.Mode, 0o600))
	if err != nil {
		return nil, err
	}
	return &PendingFile{File: f, path: path, options: o}, nil
}

// createTemp differs from os.CreateTemp in that the mode is the caller's, less the umask.
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

// Commit gives the file its name, so that it is there after a power cut too. When failed, the error of writing it, is not nil,
// or it can't be done, nothing is left: whatever had the name still has it.
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

// WriteFile writes a file whole or not at all: whoever reads it, after a crash too, gets what it held before or all that write
// wrote.
func WriteFile(path string, o WriteOptions, write func(io.Writer) error) error {
	f, err := CreatePending(path, o)
	if err != nil {
		return err
	}
	return f.Commit(write(f))
}

// RemoveFile is os.Remove, to which a file that is not there is no error.
func RemoveFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
