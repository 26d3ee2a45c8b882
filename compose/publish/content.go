package publish

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// content uploads everything below the root, and the root of an upload without tags.
func (w *upload) content(ctx context.Context) error {
	if err := w.putBlobs(ctx); err != nil {
		return err
	}
	if w.refused > 0 {
		w.options.Note(fmt.Sprintf("%d of %s to %q not mounted by the registry, copied", w.refused,
			inspect.Count(w.Totals().Mounts, "blob"), w.Repository))
	}
	for rest := w.Children; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(c compose.Child) bool { return c.Level != rest[0].Level })
		if n < 0 {
			n = len(rest)
		}
		level := rest[:n]
		err := w.each(ctx, n, func(ctx context.Context, i int) error { return w.putChild(ctx, level[i]) })
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return w.confirmChildren(ctx)
}

// putBlobs starts all tasks at once, so that progress can show how much there is to do.
func (w *upload) putBlobs(ctx context.Context) error {
	tasks := make([]*registry.Task, len(w.Blobs))
	for i, b := range w.Blobs {
		_, tasks[i] = registry.Begin(ctx, registry.Work{Doing: "copying", Name: w.Repository.String(), Blob: b.Descriptor})
	}
	err := w.each(ctx, len(w.Blobs), func(ctx context.Context, i int) error {
		return w.putBlob(tasks[i].In(ctx), w.Blobs[i], tasks[i])
	})
	for _, t := range tasks {
		t.End(registry.Present, err) // those that an error of another one left out
	}
	return err
}

func (w *upload) putBlob(ctx context.Context, b compose.Blob, task *registry.Task) error {
	moved, err := w.target.PutBlob(ctx, b.Descriptor, b.Source)
	task.End(moved, err)
	if err != nil {
		return fmt.Errorf("putting blob %s of %q: %w", b.Descriptor.Digest, b.From, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch moved {
	case registry.Present:
		w.result.Present++
	case registry.Mounted:
		w.result.Mounted++
	case registry.Copied:
		w.result.Copied++
		w.result.Bytes += b.Descriptor.Size
		if b.Mountable {
			w.refused++
		}
	}
	return nil
}

func (w *upload) putChild(ctx context.Context, c compose.Child) error {
	m := c.Manifest
	if m.Body == nil {
		var err error
		if m, err = c.Source.Manifest(ctx, c.Descriptor); err != nil {
			return fmt.Errorf("reading list %s within %q: %w", c.Descriptor.Digest, c.From, err)
		}
	}
	if err := w.target.PutManifest(ctx, m); err != nil {
		return fmt.Errorf("putting %s %s: %w", nameOf(c.Descriptor), m.Digest, err)
	}
	return nil
}

// nameOf names a child in errors: by its platform, else by its type.
func nameOf(d v1.Descriptor) string {
	switch {
	case d.Platform == nil:
		return string(d.MediaType)
	case platform.IsUnknown(*d.Platform):
		return "no platform"
	}
	return platform.Format(*d.Platform)
}

// confirmChildren reads back everything that the root refers to, new or not.
func (w *upload) confirmChildren(ctx context.Context) error {
	if !w.options.Confirm || !w.Root.IsList() {
		return nil
	}
	source, ok := w.target.(registry.Source)
	if !ok {
		return fmt.Errorf("confirming %q: %w: it can't be read back", w.Repository, compose.ErrTarget)
	}
	rows, err := compose.Rows(w.Root)
	if err != nil {
		return err
	}
	return w.each(ctx, len(rows), func(ctx context.Context, i int) error {
		d := rows[i].Descriptor
		if !d.MediaType.IsImage() && !d.MediaType.IsIndex() {
			return nil // a row may name a blob, which is not a manifest
		}
		err := registry.Await(ctx, func() error { _, err := source.Manifest(ctx, d); return err })
		if err != nil {
			return fmt.Errorf("confirming %s %s: %w", nameOf(d), d.Digest, err)
		}
		return nil
	})
}
