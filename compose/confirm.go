package compose

import (
	"context"
	"fmt"

	"mtool/registry"
)

// confirmChildren reads back what the root refers to, be it new or there before.
func (p *Publishing) confirmChildren(ctx context.Context) error {
	if !p.options.Confirm || !p.Root.IsList() {
		return nil
	}
	source, ok := p.target.(registry.Source)
	if !ok {
		return fmt.Errorf("confirming %q: %w: it can't be read back", p.Repository, ErrTarget)
	}
	rows, err := decodeRows(p.Root.Body)
	if err != nil {
		return err
	}
	return p.each(ctx, len(rows), func(ctx context.Context, i int) error {
		d := rows[i].Descriptor
		if !d.MediaType.IsImage() && !d.MediaType.IsIndex() {
			return nil // a row may name a blob, which is no manifest to be read
		}
		err := registry.Await(ctx, func() error { _, err := source.Manifest(ctx, d); return err })
		if err != nil {
			return fmt.Errorf("confirming %s %s: %w", formatDescriptor(d), d.Digest, err)
		}
		return nil
	})
}

// confirmTag looks whether the tag is what was just written.
func (p *Publishing) confirmTag(ctx context.Context, t Tag) error {
	tagger, ok := p.target.(Tagger)
	if !p.options.Confirm || !ok {
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
	case now.Digest != p.Root.Digest:
		return fmt.Errorf("confirming tag %q: %w: it is %s now, %s was written", t.Name, ErrMoved, now.Digest, p.Root.Digest)
	}
	return nil
}
