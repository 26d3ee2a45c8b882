package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"mtool/registry"
)

// tempPrefix begins the names of half-written blobs in the private folder. Each is written under the content lock, so a
// process that holds it exclusively may remove them all.
const tempPrefix = "blob-"

// writeBlob copies r to a temporary file and renames it to path when it is complete and synced. On failure nothing is
// left.
func (l *Layout) writeBlob(path string, r io.Reader, size int64) error {
	f, err := os.CreateTemp(filepath.Join(l.dir, privateDir), tempPrefix+"*")
	if err != nil {
		return DiskFull(err, l.dir, size)
	}
	_, err = io.Copy(f, r)
	return l.finish(f, path, err, size)
}

// finish syncs the temporary file and renames it to path, or removes it when err is set.
func (l *Layout) finish(f *os.File, path string, err error, size int64) error {
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = registry.MakeDirs(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		// Removed before the free space is read: what this file took counts as free.
		left := removeIfThere(f.Name())
		return errors.Join(DiskFull(err, l.dir, size), left)
	}
	return nil
}

// replace writes data to a file of the layout through a temporary file with a fixed name. The caller holds a lock, so
// one that a killed process left can be overwritten.
func (l *Layout) replace(name string, data []byte) error {
	f, err := os.OpenFile(filepath.Join(l.dir, privateDir, name+".new"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return DiskFull(err, l.dir, int64(len(data)))
	}
	_, err = f.Write(data)
	return l.finish(f, filepath.Join(l.dir, name), err, int64(len(data)))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// DiskFull adds to the error of a full disk the directory, the bytes needed (size; 0 when unknown) and the bytes free.
// It returns other errors, and nil, unchanged.
func DiskFull(err error, dir string, size int64) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	text := ""
	if size > 0 {
		text = fmt.Sprintf(": %d bytes needed", size)
	}
	if free, ok := freeBytes(dir); ok {
		text += fmt.Sprintf(", %d bytes free", free)
	}
	return registry.WithHint(fmt.Errorf("the disk of %q is full%s: %w", dir, text, err),
		fmt.Sprintf("free some space on the file system of %q, or use another directory", dir))
}
