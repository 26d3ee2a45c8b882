package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// SyncDir makes the names in a directory last through a power cut. That a file system can't, or that the directory may be
// entered and not be read, is no error: nothing can be done about it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // https://man7.org/linux/man-pages/man2/fsync.2.html#ERRORS
	}
	return errors.Join(err, d.Close())
}

// MakeDirs is os.MkdirAll whose directories last through a power cut: those in which one was made are synced.
func MakeDirs(dir string, mode fs.FileMode) error {
	err := os.Mkdir(dir, mode)
	switch parent := filepath.Dir(dir); {
	case errors.Is(err, fs.ErrNotExist) && parent != dir:
		if err := MakeDirs(parent, mode); err != nil {
			return err
		}
		return MakeDirs(dir, mode)
	case errors.Is(err, fs.ErrExist):
		if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
			return nil
		}
		return err
	case err != nil:
		return err
	default:
		return SyncDir(parent)
	}
}
