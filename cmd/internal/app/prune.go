package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mtool/build"
	"mtool/registry"
)

// Freed is what pruning one place gave back.
type Freed struct {
	Place string `json:"place"` // "store" or "builds"
	Bytes int64  `json:"freedBytes"`
	Left  int64  `json:"leftBytes"`
}

// PruneStore deletes the blobs of the store that no name leads to.
func (e *Env) PruneStore(ctx context.Context) (Freed, error) {
	freed, err := e.Store.Collect(ctx)
	if err != nil {
		return Freed{}, fmt.Errorf("pruning the store: %w", err)
	}
	left, err := registry.SizeBelow(e.Store.Dir())
	return Freed{Place: "store", Bytes: freed, Left: left}, err
}

// PruneBuilds cuts the embedded worker's cache back to keep bytes, 0: empties it. It waits for a build that is running.
func (e *Env) PruneBuilds(ctx context.Context, keep int64) (Freed, error) {
	if _, err := os.Stat(e.State); errors.Is(err, fs.ErrNotExist) {
		return Freed{Place: "builds"}, nil // nothing was ever built
	}
	before, after, err := build.PruneCache(ctx, e.workerPlace(), keep)
	return Freed{Place: "builds", Bytes: before.Bytes - after.Bytes, Left: after.Bytes}, err
}

func (e *Env) workerPlace() build.Options {
	return build.Options{StateDir: e.State, EmulatorsDir: e.emulatorsDir(), Note: e.Transport.BuildNote}
}

// Used is what one place takes.
type Used struct {
	Place    string `json:"place"` // "store", "drafts" or "builds"
	Dir      string `json:"dir"`
	Items    int    `json:"items"` // names, drafts, or records of the cache
	Bytes    int64  `json:"bytes"`
	Prunable int64  `json:"prunableBytes"`
}

// Du measures the store, the drafts and the embedded worker's cache; the latter waits for a build that is running.
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
		u, err := build.CacheUsage(ctx, e.workerPlace())
		if err != nil {
			return rows, err
		}
		builds.Items, builds.Bytes, builds.Prunable = u.Records, u.Bytes, u.Reusable
	}
	return append(rows, builds), nil
}
