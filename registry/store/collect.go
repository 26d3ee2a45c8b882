package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// DamagedError reports an image or list whose manifests can't be read. Nothing can be removed then, since it may need
// any blob.
type DamagedError struct {
	Name string // in the layout
	err  error
}

func (e *DamagedError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *DamagedError) Unwrap() error { return e.err }

// sweep removes the blobs that no row of index.json reaches and for which may returns true, and returns their size in
// bytes. The caller holds the content lock exclusively. If a manifest can't be read, nothing is removed: it may need
// any blob.
func (l *Layout) sweep(ctx context.Context, may func(v1.Hash) bool) (int64, error) {
	x, err := l.Index()
	if err != nil {
		return 0, err
	}
	live := map[v1.Hash]bool{}
	for _, row := range x.Rows {
		if err := l.reach(ctx, row.Descriptor, live); err != nil {
			return 0, &DamagedError{
				Name: row.Name(),
				err:  fmt.Errorf("keeping unused blobs of %q, since %q can't be read: %w", l.dir, row.Name(), err),
			}
		}
	}
	freed, err := l.removeBlobs(func(h v1.Hash) bool { return !live[h] && may(h) })
	return freed, errors.Join(err, l.removeTemps())
}

func (l *Layout) removeBlobs(dead func(v1.Hash) bool) (freed int64, err error) {
	err = filepath.WalkDir(filepath.Join(l.dir, blobsDir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return registry.IgnoreMissing(err)
		}
		h := v1.Hash{Algorithm: filepath.Base(filepath.Dir(path)), Hex: e.Name()}
		if !dead(h) {
			return nil
		}
		if info, err := e.Info(); err == nil {
			freed += info.Size()
		}
		return registry.RemoveFile(path)
	})
	return freed, err
}

// RemoveEmpty removes a layout, with its directory, if it names nothing and no process writes to it: a first command
// that fails would leave one. It leaves any other as it is.
func (l *Layout) RemoveEmpty() error {
	if _, err := os.Stat(filepath.Join(l.dir, privateDir)); err != nil {
		return nil //nolint:nilerr // nothing was written
	}
	unlock, ok, err := l.tryLock(contentLock)
	if !ok {
		return err
	}
	if stages, err := l.stages(); err != nil || len(stages) > 0 {
		return errors.Join(err, unlock()) // a process keeps uploads here
	}
	var x Index // stays empty where a full disk kept the oci-layout file, which comes last, from being written
	if _, missing := os.Stat(filepath.Join(l.dir, layoutFile)); !errors.Is(missing, os.ErrNotExist) {
		x, err = l.Index()
	}
	if err != nil || len(x.Rows) > 0 {
		return errors.Join(err, unlock())
	}
	folders, _ := filepath.Glob(filepath.Join(l.dir, blobsDir, "*"))
	for _, path := range append(folders, filepath.Join(l.dir, blobsDir)) {
		if err := registry.RemoveFile(path); err != nil {
			return unlock() // not empty: somebody else has put a blob there
		}
	}
	err = errors.Join(unlock(), registry.RemoveFile(filepath.Join(l.dir, layoutFile)),
		registry.RemoveFile(filepath.Join(l.dir, indexFile)),
		os.RemoveAll(filepath.Join(l.dir, privateDir)))
	if err == nil {
		_ = os.Remove(l.dir) // fails when it holds something else
	}
	return err
}
