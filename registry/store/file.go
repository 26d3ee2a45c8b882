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

// tempPrefix begins the names of half-written blobs in the private folder. Each is written under the content lock, so
// whoever holds that exclusively may remove them all.
const tempPrefix = "blob-"

// writeBlob copies what r reads to a file of its own and renames it to path when it is complete and on the disk. Whatever
// fails, nothing is left.
func (l *Layout) writeBlob(path string, r io.Reader, size int64) error {
	f, err := os.CreateTemp(filepath.Join(l.dir, privateDir), tempPrefix+"*")
	if err != nil {
		return DiskFull(err, l.dir, size)
	}
	_, err = io.Copy(f, r)
	return l.finish(f, path, err, size)
}

// finish makes the temporary file durable and gives it its name, or removes it when err is set.
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
		// Removed before the free space is looked at: what this file took is free for it.
		left := removeIfThere(f.Name())
		return errors.Join(DiskFull(err, l.dir, size), left)
	}
	return nil
}

// replace writes data to a file of the layout by way of a temporary one of a fixed name: the caller holds a lock, and what
// a killed process left is overwritten.
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

// DiskFull words the error of a full disk: where, how many bytes were needed (size; 0 when not known) and how many are free.
// Other errors, and nil, it returns as they are.
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
