package store

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"

	"mtool/registry"
)

// tempPrefix begins the names of half-written blobs in the private folder. Each is written under the content lock, so a
// process that holds it exclusively may remove them all.
const tempPrefix = "blob-"

// writeBlob copies r to a temporary file and renames it to path when it is complete and synced. The caller syncs the
// directory, once for several blobs. On failure nothing is left.
func (l *Layout) writeBlob(path string, r io.Reader, size int64) error {
	err := registry.MakeDirs(filepath.Dir(path), 0o755)
	if err == nil {
		o := registry.WriteOptions{Mode: 0o644, Temp: filepath.Join(l.dir, privateDir, tempPrefix+"*"), NoDirSync: true}
		err = registry.WriteFile(path, o, func(w io.Writer) error { _, err := io.Copy(w, r); return err })
	}
	return DiskFull(err, l.dir, size)
}

// replace writes data to a file of the layout through a temporary file with a fixed name. The caller holds a lock, so
// one that a killed process left can be overwritten.
func (l *Layout) replace(name string, data []byte) error {
	o := registry.WriteOptions{Mode: 0o644, Temp: filepath.Join(l.dir, privateDir, name+".new")}
	err := registry.WriteFile(filepath.Join(l.dir, name), o,
		func(w io.Writer) error { _, err := w.Write(data); return err })
	return DiskFull(err, l.dir, int64(len(data)))
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
