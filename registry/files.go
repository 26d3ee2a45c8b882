package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"mtool/registry/regular"
)

// SyncDir syncs a directory, so that the names in it survive a power cut. It returns no error where the file system
// can't sync, or where the directory may be entered but not read: there is nothing to be done about that.
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

// MakeDirs is os.MkdirAll, and syncs the directories in which it creates one, so that they survive a power cut.
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

// ReadFile reads a file of a layout or an archive, which somebody else may have written. A file of more than most bytes
// is an ErrContent.
func ReadFile(files fs.FS, name string, most int64) ([]byte, error) {
	f, err := files.Open(name)
	if errors.Is(err, regular.ErrFile) {
		err = fmt.Errorf("%w: %w", ErrContent, err)
	}
	if err != nil {
		return nil, err
	}
	data, err := readAll(f, most)
	if int64(len(data)) > most {
		err = WithKind(fmt.Errorf("%q has more than %d bytes", name, most), ErrContent)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

// readAll reads at most one byte more than most. It asks for the size first, because FUSE then looks at the file again;
// a read alone may end where the file ended a second ago.
func readAll(f fs.File, most int64) ([]byte, error) {
	if _, err := f.Stat(); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, most+1))
}

// SizeBelow returns the total size of the files below dir. A file that has disappeared counts as 0, and so does a
// missing dir.
func SizeBelow(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return IgnoreMissing(err)
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return IgnoreMissing(err)
	})
	if err != nil {
		return sum, fmt.Errorf("measuring %q: %w", dir, err)
	}
	return sum, nil
}

// IgnoreMissing returns err, or nil for a file that does not exist.
func IgnoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
