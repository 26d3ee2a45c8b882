package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/store"
)

// PruneNamesOptions say which names are old enough to go.
type PruneNamesOptions struct {
	Drafts, Images bool
	OlderThan      time.Duration // since the draft was changed, or the image got its name
	DryRun         bool          // only say what would go
}

// PruneNames deletes drafts, and images of the store that no draft is made of. It says each, goes on past what can't be
// deleted, and answers how many went.
func (e *Env) PruneNames(ctx context.Context, o PruneNamesOptions) (int, error) {
	drafts, err := e.Drafts.List(ctx)
	if err != nil {
		return 0, err
	}
	until := time.Now().Add(-o.OlderThan)
	var old []registry.Ref
	needed := map[v1.Hash]bool{}
	for _, d := range drafts {
		switch {
		case d.Err != nil:
			if o.Images {
				return 0, fmt.Errorf("what this draft is made of can't be told: %w", d.Err)
			}
			e.note("warning: left alone: %v", d.Err)
		case o.Drafts && d.Modified.Before(until):
			old = append(old, d.Ref)
		default:
			need(d.List, needed)
		}
	}
	if o.Images {
		images, err := e.Store.List(ctx)
		if err != nil {
			return 0, err
		}
		old = append(old, unneeded(images, needed, until)...)
	}
	return e.removeNames(ctx, old, o.DryRun)
}

// need notes what a draft would be pushed from.
func need(list compose.List, needed map[v1.Hash]bool) {
	for _, entry := range list.Entries {
		needed[entry.Descriptor.Digest] = true
		needed[entry.SourceDigest] = true
		needed[entry.OriginalDigest] = true
	}
}

func unneeded(images []store.Image, needed map[v1.Hash]bool, until time.Time) []registry.Ref {
	var old []registry.Ref
	for _, image := range images {
		if !needed[image.Descriptor.Digest] && image.Named.Before(until) {
			old = append(old, image.Ref)
		}
	}
	return old
}

func (e names) removeNames(ctx context.Context, refs []registry.Ref, dryRun bool) (removed int, err error) {
	var errs []error
	for _, ref := range refs {
		if dryRun {
			e.note("would remove %s %s", ref.Transport, ref.Familiar())
			continue
		}
		if err := e.rmOne(ctx, ref); err != nil {
			errs = append(errs, err)
			continue
		}
		removed++
	}
	return removed, errors.Join(errs...)
}
