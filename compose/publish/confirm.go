package publish

import (
	"context"
	"fmt"

	"mtool/compose"
	"mtool/registry"
)

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

// confirmTag checks that the tag is what was just written.
func (w *upload) confirmTag(ctx context.Context, t compose.Tag) error {
	tagger, ok := w.target.(tagger)
	if !w.options.Confirm || !ok {
		return nil
	}
	var now registry.Manifest
	err := registry.Await(ctx, func() (err error) {
		now, err = tagger.Tag(ctx, t.Name)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("confirming tag %q: %w", t.Name, err)
	case now.Digest != w.Root.Digest:
		return fmt.Errorf("confirming tag %q: %w: it is %s now, %s was written", t.Name, compose.ErrMoved, now.Digest,
			w.Root.Digest)
	}
	return nil
}
