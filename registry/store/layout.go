package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// Layout is a writable OCI layout in a directory. OpenLayout does no I/O; the first write creates the directory.
type Layout struct {
	dir  string
	mode fs.FileMode // of the directory
	*Reader

	mu       sync.Mutex
	inFlight map[v1.Hash]chan struct{} // blobs that this process is writing, closed when done
}

// OpenLayout returns the layout in dir.
func OpenLayout(dir string) *Layout {
	return &Layout{
		dir: dir, mode: 0o755, Reader: NewReader(regular.DirFS(dir), dir),
		inFlight: map[v1.Hash]chan struct{}{},
	}
}

// Dir returns the layout's directory.
func (l *Layout) Dir() string { return l.dir }

// prepare creates the folders and, in an empty or missing directory, the layout's two files. It refuses a directory
// with other content, which is somebody's and not a layout.
func (l *Layout) prepare(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(l.dir, privateDir, indexLock)); err == nil {
		if err := l.Check(); err == nil {
			return nil
		}
	}
	if err := l.refuseForeign(); err != nil {
		return err
	}
	if err := registry.MakeDirs(filepath.Join(l.dir, privateDir), l.mode); err != nil {
		return fmt.Errorf("making layout %q: %w", l.dir, DiskFull(err, l.dir, 0))
	}
	release, err := l.lock(ctx, indexLock, false)
	if err != nil {
		return err
	}
	return errors.Join(l.initialize(), release())
}

func (l *Layout) refuseForeign() error {
	entries, err := os.ReadDir(l.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making layout %q: %w", l.dir, err)
	}
	for _, e := range entries {
		switch e.Name() {
		case layoutFile, indexFile, blobsDir, privateDir:
			return nil
		}
	}
	if len(entries) > 0 {
		return registry.WithHint(fmt.Errorf("making layout %q: the directory is neither empty nor an OCI layout: %w", l.dir,
			registry.ErrContent),
			"name another directory, or an empty one")
	}
	return nil
}

// initialize writes what is missing; the caller holds the index lock. index.json comes first, so that a directory with
// an oci-layout file is complete.
func (l *Layout) initialize() error {
	if _, err := os.Stat(filepath.Join(l.dir, layoutFile)); err == nil {
		return l.Check()
	}
	if _, err := os.Stat(filepath.Join(l.dir, indexFile)); errors.Is(err, os.ErrNotExist) {
		if err := l.writeIndex(emptyIndex()); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]string{"imageLayoutVersion": layoutVersion})
	if err != nil {
		return err
	}
	if err := l.replace(layoutFile, data); err != nil {
		return fmt.Errorf("making layout %q: %w", l.dir, err)
	}
	return nil
}

func (l *Layout) writeIndex(x Index) error {
	data, err := x.encode()
	if err == nil {
		err = l.replace(indexFile, data)
	}
	if err != nil {
		return fmt.Errorf("writing %q: %w", filepath.Join(l.dir, indexFile), err)
	}
	return nil
}

// edit changes index.json under its lock. If change fails, the file stays as it was.
func (l *Layout) edit(ctx context.Context, change func(*Index) error) error {
	release, err := l.lock(ctx, indexLock, false)
	if err != nil {
		return err
	}
	return errors.Join(l.editLocked(change), release())
}

func (l *Layout) editLocked(change func(*Index) error) error {
	x, err := l.Index()
	if err != nil {
		return err
	}
	if err := change(&x); err != nil {
		return err
	}
	return l.writeIndex(x)
}

// blobFile returns the path of the blob, present or not.
func (l *Layout) blobFile(h v1.Hash) string {
	return filepath.Join(l.dir, filepath.FromSlash(blobPath(h)))
}

// has reports whether the blob is present with its right size; a d.Size of 0 matches any size.
func (l *Layout) has(d v1.Descriptor) bool {
	info, err := os.Stat(l.blobFile(d.Digest))
	return err == nil && info.Mode().IsRegular() && (d.Size == 0 || info.Size() == d.Size)
}

// removeTemps removes half-written blobs. The caller holds the content lock exclusively.
func (l *Layout) removeTemps() error {
	entries, err := os.ReadDir(filepath.Join(l.dir, privateDir))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			err = errors.Join(err, registry.RemoveFile(filepath.Join(l.dir, privateDir, e.Name())))
		}
	}
	return err
}

// touch dates the blob h, the root of an image, as written now. Neither index.json nor a layout has another place for
// the date. Errors are ignored: an image without a date is at worst pruned too early, and only when pruning by age.
func (l *Layout) touch(h v1.Hash) {
	now := time.Now()
	_ = os.Chtimes(l.blobFile(h), now, now)
}

func (l *Layout) named(h v1.Hash) time.Time {
	info, err := os.Stat(l.blobFile(h))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
