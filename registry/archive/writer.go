package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// Writer writes a layout, an OCI archive or a directory of skopeo; it is a registry.Target. End it with Close, or with
// Abort after an error; further calls of either do nothing.
type Writer struct {
	ref       registry.Ref
	blobs     *store.Writer
	spool     *spool        // nil for a layout
	fresh     *store.Layout // the layout, if this writer creates its directory; else nil
	directory *directoryWriter
	tags      atomic.Int32
	ctx       atomic.Pointer[context.Context] // of the last call, for the progress of Close
	ended     bool
}

// Create starts writing what ref names. For oci: that is a directory, created when missing, in which every PutTag adds
// or replaces its tag and leaves the others. For oci-archive: it is a new file, which replaces an old one at Close; the
// error wraps registry.ErrNotFound when its directory is missing. For dir: it is a directory, created when missing,
// with the one image of the last PutTag, which replaces an older one at Close; a directory with other files is a
// registry.ErrContent. Other transports are a registry.ErrName.
func Create(ref registry.Ref) (*Writer, error) {
	switch ref.Transport {
	case registry.TransportLayout:
		if info, err := os.Stat(ref.Path); err == nil && !info.IsDir() {
			return nil, registry.WithKind(fmt.Errorf("creating %q: a file of this name exists", ref),
				registry.ErrContent)
		}
		layout := store.OpenLayout(ref.Path)
		w := &Writer{ref: ref, blobs: layout.Writer()}
		if _, err := os.Stat(ref.Path); errors.Is(err, os.ErrNotExist) {
			w.fresh = layout
		}
		return w, nil
	case registry.TransportArchive:
		s, err := newSpool(ref.Path)
		if err != nil {
			return nil, fmt.Errorf("creating %q: %w", ref, err)
		}
		return &Writer{ref: ref, blobs: store.OpenLayout(s.layout()).Writer(), spool: s}, nil
	case registry.TransportDirectory:
		d, err := newDirectoryWriter(ref.Path)
		if err != nil {
			return nil, fmt.Errorf("creating %q: %w", ref, err)
		}
		return &Writer{ref: ref, blobs: store.OpenLayout(d.spool.layout()).Writer(), spool: d.spool, directory: d}, nil
	case registry.TransportDockerArchive:
		return nil, registry.WithHint(
			registry.WithKind(fmt.Errorf("creating %q: Docker archives are not written", ref), registry.ErrName),
			"write oci-archive:FILE, which docker load of Docker 25 and later reads too",
		)
	}
	return nil, registry.WithKind(fmt.Errorf("creating %q: neither a layout nor an archive", ref), registry.ErrName)
}

// PutBlob implements registry.Target.
func (w *Writer) PutBlob(ctx context.Context, d v1.Descriptor, src registry.Source) (registry.Moved, error) {
	if w.directory != nil {
		w.directory.add(d.Digest, "")
	}
	return w.blobs.PutBlob(ctx, d, src)
}

// PutManifest implements registry.Target.
func (w *Writer) PutManifest(ctx context.Context, m registry.Manifest) error {
	if w.directory != nil {
		w.directory.add(m.Digest, childEnding)
	}
	return w.blobs.PutManifest(ctx, m)
}

// PutTag implements registry.Target. The empty tag stores a manifest without a name.
func (w *Writer) PutTag(ctx context.Context, tag string, m registry.Manifest) error {
	w.ctx.Store(&ctx)
	if err := w.blobs.PutTag(ctx, tag, m); err != nil {
		return err
	}
	if w.directory != nil {
		w.directory.name(m.Digest)
	}
	w.tags.Add(1)
	return nil
}

// Close finishes; an archive then has its name. Without a single tag it returns an error and writes nothing.
func (w *Writer) Close() error {
	if w.ended {
		return nil
	}
	w.ended = true
	err := w.blobs.Close()
	if w.spool == nil {
		return err
	}
	if err == nil && w.tags.Load() == 0 {
		err = errors.New("nothing was written to it")
	}
	switch {
	case err != nil:
	case w.directory != nil:
		err = w.directory.place()
	default:
		err = w.spool.pack(*w.ctx.Load())
	}
	if err = errors.Join(err, w.spool.remove()); err != nil {
		return fmt.Errorf("writing %q: %w", w.ref, err)
	}
	return nil
}

// Abort leaves an archive and a directory of skopeo as they were; in a layout what has a tag already stays.
func (w *Writer) Abort() error {
	if w.ended {
		return nil
	}
	w.ended = true
	err := w.blobs.Close()
	if w.spool != nil {
		err = errors.Join(err, w.spool.remove())
	}
	if w.fresh != nil {
		err = errors.Join(err, w.fresh.RemoveEmpty())
	}
	if w.directory != nil {
		w.directory.removeEmpty()
	}
	if err != nil {
		return fmt.Errorf("giving up %q: %w", filepath.Clean(w.ref.Path), err)
	}
	return nil
}
