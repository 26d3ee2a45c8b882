package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/registry"
	"mtool/registry/regular"
)

// importLimit is how many blobs are verified at once. The disk and SHA-256 are the limits, not waiting.
const importLimit = 4

// maxDepth limits how deep lists may be nested. A list can name one child many times, and the walk would never end.
const maxDepth = 8

// ImportLayout imports root and everything below it from the layout in dir, and names it ref. Every blob is read and
// verified, then linked, or copied where dir is on another file system. The error wraps registry.ErrNotFound when a
// blob is missing and registry.ErrContent when it does not match its digest; nothing is left in the store then.
func (s *Store) ImportLayout(ctx context.Context, dir string, root v1.Descriptor, ref registry.Ref) error {
	w := s.Writer(ref)
	in := importer{writer: w, from: NewReader(regular.DirFS(dir), dir), dir: dir}
	m, err := in.tree(ctx, root, 0)
	if err == nil {
		err = w.PutTag(ctx, ref.Tag, m)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("importing %s from %q as %q: %w", root.Digest, dir, ref.At(registry.TransportStore), err)
	}
	return nil
}

type importer struct {
	writer *Writer
	from   *Reader
	dir    string
}

// tree imports what is below d and returns d's manifest.
func (in importer) tree(ctx context.Context, d v1.Descriptor, depth int) (registry.Manifest, error) {
	if depth > maxDepth {
		return registry.Manifest{}, registry.WithKind(fmt.Errorf("lists nested over %d deep", maxDepth),
			registry.ErrContent)
	}
	m, err := in.from.Manifest(ctx, d)
	if err != nil {
		return registry.Manifest{}, err
	}
	below, err := refsOf(m)
	if err != nil {
		return registry.Manifest{}, err
	}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(importLimit)
	for _, blob := range below.blobs {
		g.Go(func() error { return in.blob(groupCtx, blob) })
	}
	if err := g.Wait(); err != nil {
		return registry.Manifest{}, err
	}
	for _, child := range below.manifests {
		childManifest, err := in.tree(ctx, child, depth+1)
		if err != nil {
			return registry.Manifest{}, err
		}
		if err := in.writer.PutManifest(ctx, childManifest); err != nil {
			return registry.Manifest{}, err
		}
	}
	return m, nil
}

func (in importer) blob(ctx context.Context, d v1.Descriptor) error {
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "storing", Name: in.dir, Blob: d})
	moved, err := in.writer.put(ctx, d, func(path string) error {
		if err := in.verify(ctx, d); err != nil {
			return err
		}
		return in.writer.layout.linkBlob(ctx, path, d, filepath.Join(in.dir, filepath.FromSlash(blobPath(d.Digest))))
	})
	task.End(moved, err)
	return err
}

func (in importer) verify(ctx context.Context, d v1.Descriptor) error {
	rc, err := in.from.Blob(ctx, d)
	if err != nil {
		return err
	}
	rc = registry.Counted(ctx, rc)
	_, err = io.Copy(io.Discard, &cancelable{ctx, rc})
	return errors.Join(err, rc.Close())
}
