package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// spool is a layout next to an archive that is being written, under a lock that ends with the process. Blobs arrive in
// any order and several at once; a tar takes them one by one, and in one fixed order.
type spool struct {
	path string // of the archive
	dir  string
	lock *flock.Flock
}

// abandonedAge keeps a new spool, not locked yet, from being removed as abandoned.
const abandonedAge = time.Minute

const spoolLock = "lock"

func newSpool(path string) (*spool, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, registry.WithKind(errors.New("it exists and is not a file"), registry.ErrContent)
	}
	removeAbandoned(path)
	dir, err := os.MkdirTemp(filepath.Dir(path), spoolPrefix(path)+"*")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.WithKind(fmt.Errorf("no such directory %q", filepath.Dir(path)), registry.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	s := &spool{path: path, dir: dir, lock: flock.New(filepath.Join(dir, spoolLock))}
	if ok, err := s.lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("locking %q: %w", dir, err), s.remove())
	}
	return s, nil
}

func spoolPrefix(path string) string { return "." + filepath.Base(path) + ".mtool-" }

// layout returns the directory that holds the content until its order is known.
func (s *spool) layout() string { return filepath.Join(s.dir, "layout") }

// removeAbandoned removes the spools that killed processes left for this archive. Errors are ignored.
func removeAbandoned(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !strings.HasPrefix(e.Name(), spoolPrefix(path)) || time.Since(info.ModTime()) < abandonedAge {
			continue
		}
		dir := filepath.Join(filepath.Dir(path), e.Name())
		lock := flock.New(filepath.Join(dir, spoolLock))
		if ok, err := lock.TryLock(); err == nil && ok {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}

func (s *spool) remove() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.Close())
}

// pack writes the tar and renames it: first what a reader needs first, then the blobs by digest.
func (s *spool) pack(ctx context.Context) error {
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "writing", Name: s.path, Size: s.size()})
	o := registry.WriteOptions{Mode: 0o644, Temp: filepath.Join(s.dir, "archive.tar")}
	err := registry.WriteFile(s.path, o, func(w io.Writer) error { return s.writeTo(registry.CountedWriter(ctx, w)) })
	task.End(registry.Copied, err)
	return store.DiskFull(err, filepath.Dir(s.path), 0)
}

// size is about how large the archive will be; -1: not known.
func (s *spool) size() (n int64) {
	err := filepath.WalkDir(s.layout(), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		return -1
	}
	return n
}

func (s *spool) writeTo(w io.Writer) error {
	t := tar.NewWriter(w)
	for _, name := range []string{"oci-layout", indexFile} {
		if err := s.add(t, name); err != nil {
			return err
		}
	}
	err := filepath.WalkDir(filepath.Join(s.layout(), "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.layout(), path)
		if err != nil {
			return err
		}
		return s.add(t, filepath.ToSlash(name))
	})
	return errors.Join(err, t.Close())
}

// add writes a header that is the same on every machine and in every run.
func (s *spool) add(t *tar.Writer, name string) error {
	f, err := regular.Open(filepath.Join(s.layout(), filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), Format: tar.FormatPAX})
	}
	if err == nil {
		_, err = io.Copy(t, f)
	}
	return errors.Join(err, f.Close())
}
