package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// DamagedError is an image or list whose manifests can't be read, so that nothing can be removed: what it needs can't be told.
type DamagedError struct {
	Name string // in the layout
	err  error
}

func (e *DamagedError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *DamagedError) Unwrap() error { return e.err }

// sweep removes the blobs that no row of index.json leads to and that may answers true for, and returns how many bytes
// they had. The caller holds the content lock exclusively. A manifest that can't be read ends it before anything is
// removed: what that one needs can't be told.
func (l *Layout) sweep(ctx context.Context, may func(v1.Hash) bool) (int64, error) {
	x, err := l.Index()
	if err != nil {
		return 0, err
	}
	live := map[v1.Hash]bool{}
	for _, row := range x.Rows {
		if err := l.reach(ctx, row.Descriptor, live); err != nil {
			return 0, &DamagedError{Name: row.Name(), err: fmt.Errorf("keeping unused blobs of %q, since %q can't be read: %w", l.dir, row.Name(), err)}
		}
	}
	freed, err := l.removeBlobs(func(h v1.Hash) bool { return !live[h] && may(h) })
	return freed, errors.Join(err, l.removeTemps())
}

func (l *Layout) removeBlobs(dead func(v1.Hash) bool) (freed int64, err error) {
	err = filepath.WalkDir(filepath.Join(l.dir, blobsDir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreMissing(err)
		}
		h := v1.Hash{Algorithm: filepath.Base(filepath.Dir(path)), Hex: e.Name()}
		if !dead(h) {
			return nil
		}
		if info, err := e.Info(); err == nil {
			freed += info.Size()
		}
		return removeIfThere(path)
	})
	return freed, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
