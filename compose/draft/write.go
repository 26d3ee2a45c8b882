package draft

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mtool/registry"
)

// write replaces path atomically: a reader, or a crash, sees the old bytes or the new ones. The caller holds the lock, so
// one temporary name is enough, and what a killed process left of it is overwritten.
func write(path string, data []byte) (err error) {
	tmp := temporary(path)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeFile(tmp))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(tmp, path); err != nil {
		return err
	}
	return registry.SyncDir(filepath.Dir(path))
}

// temporary does not end in suffix, so that List passes it over.
func temporary(path string) string { return sibling(path, ".tmp") }

func lockOf(path string) string { return sibling(path, ".lock") }

func sibling(path, ending string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+ending)
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
