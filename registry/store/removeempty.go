package store

import (
	"errors"
	"os"
	"path/filepath"
)

// RemoveEmpty removes a layout that names nothing and that nobody writes to, with its directory: what a first command that
// failed would leave. Any other it leaves as it is.
func (l *Layout) RemoveEmpty() error {
	if _, err := os.Stat(filepath.Join(l.dir, privateDir)); err != nil {
		return nil //nolint:nilerr // nothing was written
	}
	unlock, ok, err := l.tryLock(contentLock)
	if !ok {
		return err
	}
	var x Index // of one that a full disk kept from being made: without its oci-layout file, which comes last
	if _, missing := os.Stat(filepath.Join(l.dir, layoutFile)); !errors.Is(missing, os.ErrNotExist) {
		x, err = l.Index()
	}
	if err != nil || len(x.Rows) > 0 {
		return errors.Join(err, unlock())
	}
	folders, _ := filepath.Glob(filepath.Join(l.dir, blobsDir, "*"))
	for _, path := range append(folders, filepath.Join(l.dir, blobsDir)) {
		if err := removeIfThere(path); err != nil {
			return unlock() // not empty: a blob that someone else has put there
		}
	}
	err = errors.Join(unlock(), removeIfThere(filepath.Join(l.dir, layoutFile)), removeIfThere(filepath.Join(l.dir, indexFile)),
		os.RemoveAll(filepath.Join(l.dir, privateDir)))
	if err == nil {
		_ = os.Remove(l.dir) // unless it holds something else
	}
	return err
}
