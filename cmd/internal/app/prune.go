package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/compose"
	"mtool/registry"
	"mtool/registry/store"
)

// Freed is what pruning freed.
type Freed struct {
	Place string `json:"place"` // "store" or "builds"
	Bytes int64  `json:"freedBytes"`
	Left  int64  `json:"leftBytes"`
}

// PruneStore deletes the blobs of the store that no named image needs.
func (e *Env) PruneStore(ctx context.Context) (Freed, error) {
	freed, err := e.Store.Collect(ctx)
	if err != nil {
		return Freed{}, fmt.Errorf("pruning the store: %w", err)
	}
	left, err := registry.SizeBelow(e.Store.Dir())
	return Freed{Place: "store", Bytes: freed, Left: left}, err
}

// PruneBuilds reduces the embedded worker's cache to keep bytes; 0 empties it. It waits for a running build.
func (e *Env) PruneBuilds(ctx context.Context, keep int64) (Freed, error) {
	if _, err := os.Stat(e.State); errors.Is(err, fs.ErrNotExist) {
		return Freed{Place: "builds"}, nil // nothing was ever built
	}
	before, after, err := build.PruneCache(ctx, e.buildOptions(), keep)
	return Freed{Place: "builds", Bytes: before.Bytes - after.Bytes, Left: after.Bytes}, err
}

// Used is the disk space of one part of the local data.
type Used struct {
	Place    string `json:"place"` // "store", "drafts" or "builds"
	Dir      string `json:"dir"`
	Items    int    `json:"items"` // names, drafts, or records of the cache
	Bytes    int64  `json:"bytes"`
	Prunable int64  `json:"prunableBytes"`
}

// Du measures the store, the drafts and the embedded worker's cache. It waits for a running build.
func (e *Env) Du(ctx context.Context) ([]Used, error) {
	images, err := e.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	drafts, err := e.Drafts.List(ctx)
	if err != nil {
		return nil, err
	}
	store := Used{Place: "store", Dir: e.Store.Dir(), Items: len(images)}
	draft := Used{Place: "drafts", Dir: filepath.Join(e.Home, "drafts"), Items: len(drafts)}
	var errs [2]error
	store.Bytes, errs[0] = registry.SizeBelow(store.Dir)
	draft.Bytes, errs[1] = registry.SizeBelow(draft.Dir)
	rows := []Used{store, draft}
	if err := errors.Join(errs[:]...); err != nil {
		return rows, err
	}
	builds := Used{Place: "builds", Dir: e.State}
	if _, err := os.Stat(e.State); err == nil {
		u, err := build.CacheUsage(ctx, e.buildOptions())
		if err != nil {
			return rows, err
		}
		builds.Items, builds.Bytes, builds.Prunable = u.Records, u.Bytes, u.Reusable
	}
	return append(rows, builds), nil
}

// PruneNamesOptions are the options of PruneNames.
type PruneNamesOptions struct {
	Drafts, Images bool
	OlderThan      time.Duration // since the draft was changed, or the image was named
	DryRun         bool          // only note what would be deleted
}

// PruneNames deletes old drafts, and old images of the store that no draft needs, and notes each. It returns how many
// it deleted. Failures don't stop it.
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
				return 0, fmt.Errorf("a draft that can't be read may need any image: %w", d.Err)
			}
			e.note("warning: kept: %v", d.Err)
		case o.Drafts && d.Modified.Before(until):
			old = append(old, d.Ref)
		default:
			addNeeded(needed, d.List)
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

// addNeeded adds the images that pushing a draft reads.
func addNeeded(needed map[v1.Hash]bool, list compose.List) {
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
