package worker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reserveSize is in bytes. To delete what fills a disk, each database needs a few pages.
const reserveSize = 2 << 20

// reserve keeps space in the state directory for the databases: on a full disk they could not delete anything, and no
// build could free what an earlier one left. The space is released if the disk is full. File systems that can't
// reserve space do without.
func reserve(root string) error {
	path := filepath.Join(root, "reserve")
	var disk unix.Statfs_t
	if err := unix.Statfs(root, &disk); err != nil {
		return err
	}
	if disk.Bavail*uint64(disk.Bsize) < reserveSize {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, reserveSize)
	if closed := f.Close(); err != nil || closed != nil {
		return os.Remove(path)
	}
	return nil
}
