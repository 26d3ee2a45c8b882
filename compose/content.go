package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/registry"
)

// content brings everything below the root, and the root of an upload without tags.
func (p *Publishing) content(ctx context.Context) error {
	err := p.each(ctx, len(p.Blobs), func(ctx context.Context, i int) error { return p.putBlob(ctx, p.Blobs[i]) })
	if err != nil {
		return err
	}
	if p.refused > 0 {
		p.options.Note(fmt.Sprintf("%d of %s to %q not mounted by the registry, copied", p.refused,
			count(p.Totals().Mounts, "blob"), p.Repository))
	}
	for rest := p.Children; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(c Child) bool { return c.Level != rest[0].Level })
		if n < 0 {
			n = len(rest)
		}
		level := rest[:n]
		err := p.each(ctx, n, func(ctx context.Context, i int) error { return p.putChild(ctx, level[i]) })
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return p.confirmChildren(ctx)
}

// each runs n steps under the limit; the first error cancels the others and is the one returned.
func (p *Publishing) each(ctx context.Context, n int, step func(context.Context, int) error) error {
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(p.options.Concurrency)
	for i := range n {
		if group.Err() != nil {
			break
		}
		g.Go(func() error { return step(group, i) })
	}
	return errors.Join(g.Wait(), ctx.Err())
}

func (p *Publishing) putBlob(ctx context.Context, b Blob) error {
	moved, err := p.target.PutBlob(ctx, b.Descriptor, b.Source)
	if err != nil {
		return fmt.Errorf("putting blob %s of %q: %w", b.Descriptor.Digest, b.From, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch moved {
	case registry.Present:
		p.result.Present++
	case registry.Mounted:
		p.result.Mounted++
	case registry.Copied:
		p.result.Copied++
		p.result.Bytes += b.Descriptor.Size
		if b.Mountable {
			p.refused++
		}
	}
	return nil
}

func (p *Publishing) putChild(ctx context.Context, c Child) error {
	m := c.Manifest
	if m.Body == nil {
		var err error
		if m, err = c.Source.Manifest(ctx, c.Descriptor); err != nil {
			return fmt.Errorf("reading list %s within %q: %w", c.Descriptor.Digest, c.From, err)
		}
	}
	if err := p.target.PutManifest(ctx, m); err != nil {
		return fmt.Errorf("putting %s %s: %w", formatDescriptor(c.Descriptor), m.Digest, err)
	}
	return nil
}

func formatDescriptor(d v1.Descriptor) string {
	if d.Platform == nil {
		return string(d.MediaType)
	}
	return formatPlatform(*d.Platform)
}
