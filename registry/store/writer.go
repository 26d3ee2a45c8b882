package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Writer writes content into a layout; it is a registry.Target. Garbage collection spares what it has written until
// PutTag gives it a name, or until Close.
type Writer struct {
	layout *Layout
	// name returns the name and the annotations of a row of index.json for a tag.
	name func(tag string, m registry.Manifest) (string, map[string]string)

	mu      sync.Mutex
	release func() error     // of the content lock; nil when it is not held
	pending map[v1.Hash]bool // written or found, without a name yet; true: written by this writer
}

// Writer returns a writer for the layout. PutTag writes tags unchanged as org.opencontainers.image.ref.name; the empty
// tag stands for the row without a name. A full reference becomes containerd's name too, by which Docker Engine and
// podman load it.
func (l *Layout) Writer() *Writer {
	return l.writer(func(tag string, _ registry.Manifest) (string, map[string]string) {
		if tag == "" {
			return "", nil
		}
		if strings.Contains(tag, "/") {
			return tag, map[string]string{RefName: tag, ContainerName: tag}
		}
		return tag, map[string]string{RefName: tag}
	})
}

func (l *Layout) writer(name func(string, registry.Manifest) (string, map[string]string)) *Writer {
	return &Writer{layout: l, name: name, pending: map[v1.Hash]bool{}}
}

// PutBlob implements registry.Target. A blob that is present with a size other than d's is written again.
func (w *Writer) PutBlob(ctx context.Context, d v1.Descriptor, src registry.Source) (registry.Moved, error) {
	open := func() (io.ReadCloser, error) { return src.Blob(ctx, d) }
	return w.put(ctx, d, func(path string) error { return w.layout.copyBlob(ctx, path, d, open) })
}

// PutFile makes the blob d present without moving its bytes, where the file system can: as another name of file, whose
// content the caller has verified.
func (w *Writer) PutFile(ctx context.Context, d v1.Descriptor, file string) (registry.Moved, error) {
	return w.put(ctx, d, func(path string) error { return w.layout.linkBlob(ctx, path, d, file) })
}

// PutManifest implements registry.Target. The error wraps registry.ErrNotFound when something that m refers to is
// missing.
func (w *Writer) PutManifest(ctx context.Context, m registry.Manifest) error {
	if err := w.layout.checkRefs(m); err != nil {
		return err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.Body)), nil } //nolint:unparam // the shape that copyBlob takes
	d := m.Descriptor()
	_, err := w.put(ctx, d, func(path string) error { return w.layout.copyBlob(ctx, path, d, open) })
	return err
}

// PutTag implements registry.Target. The name appears once everything below it is on the disk.
func (w *Writer) PutTag(ctx context.Context, tag string, m registry.Manifest) error {
	if err := w.PutManifest(ctx, m); err != nil {
		return err
	}
	name, annotations := w.name(tag, m)
	d := m.Descriptor()
	d.Annotations = annotations
	if err := registry.SyncDir(filepath.Dir(w.layout.blobFile(m.Digest))); err != nil {
		return err
	}
	if err := w.layout.edit(ctx, func(x *Index) error { return x.put(name, d) }); err != nil {
		return fmt.Errorf("naming %s %q: %w", m.Digest, name, err)
	}
	w.layout.touch(m.Digest)
	return w.unhold(ctx, d)
}

// Close ends the protection of content without a name, and removes what this writer has written of it. Close may be
// called again, and the writer may be used afterwards.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.release == nil {
		return nil
	}
	err := w.release()
	mine := maps.Clone(w.pending)
	w.release, w.pending = nil, map[v1.Hash]bool{}
	maps.DeleteFunc(mine, func(_ v1.Hash, written bool) bool { return !written })
	if err != nil || len(mine) == 0 {
		return err
	}
	unlock, ok, err := w.layout.tryLock(contentLock)
	if !ok {
		return err // others are writing, perhaps this very content: the next collection takes it
	}
	_, err = w.layout.sweep(context.Background(), func(h v1.Hash) bool { return mine[h] })
	return errors.Join(err, unlock())
}

// put makes the blob present: it calls write unless it is.
func (w *Writer) put(ctx context.Context, d v1.Descriptor, write func(path string) error) (registry.Moved, error) {
	if _, err := v1.Hasher(d.Digest.Algorithm); err != nil {
		return 0, fmt.Errorf("writing blob %q to %q: %w", d.Digest, w.layout.dir, err)
	}
	if err := w.hold(ctx, d.Digest); err != nil {
		return 0, err
	}
	done, err := w.layout.lockBlob(ctx, d.Digest)
	if err != nil {
		return 0, err
	}
	defer done()
	if w.layout.has(d) {
		return registry.Present, nil
	}
	if err := write(w.layout.blobFile(d.Digest)); err != nil {
		return 0, fmt.Errorf("writing blob %s to %q: %w", d.Digest, w.layout.dir, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending[d.Digest] = true
	return registry.Copied, nil
}

// hold takes the content lock unless this writer has it, and records that digest has no name yet.
func (w *Writer) hold(ctx context.Context, digest v1.Hash) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.release == nil {
		release, err := w.layout.begin(ctx)
		if err != nil {
			return err
		}
		w.release = release
	}
	if _, ok := w.pending[digest]; !ok {
		w.pending[digest] = false
	}
	return nil
}

// unhold releases the content lock when everything written has a name.
func (w *Writer) unhold(ctx context.Context, named v1.Descriptor) error {
	reached := map[v1.Hash]bool{}
	if err := w.layout.reach(ctx, named, reached); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.pending, func(h v1.Hash, _ bool) bool { return reached[h] })
	if len(w.pending) > 0 || w.release == nil {
		return nil
	}
	release := w.release
	w.release = nil
	return release()
}
