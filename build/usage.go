package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/buildkit/client"

	"mtool/build/snapshot"
	embedded "mtool/build/worker"
)

// Usage is what a worker's cache takes.
type Usage struct {
	Records  int
	Bytes    int64
	InUse    int64 // bytes of what can't be pruned now
	Reusable int64 // bytes of what can
}

// CacheUsage measures the embedded worker's cache.
func CacheUsage(ctx context.Context, o Options) (u Usage, err error) {
	err = withEmbedded(ctx, o, func(c *client.Client) error {
		records, err := c.DiskUsage(ctx)
		if err != nil {
			return fmt.Errorf("measuring the worker's cache: %w", err)
		}
		u = usageOf(records)
		return nil
	})
	return u, err
}

func usageOf(records []*client.UsageInfo) Usage {
	u := Usage{Records: len(records)}
	for _, r := range records {
		u.Bytes += r.Size
		if r.InUse {
			u.InUse += r.Size
		} else {
			u.Reusable += r.Size
		}
	}
	return u
}

// PruneCache cuts the embedded worker's cache back to keep bytes, 0: empties it, and tells what it took before and after.
func PruneCache(ctx context.Context, o Options, keep int64) (before, after Usage, err error) {
	err = withEmbedded(ctx, o, func(c *client.Client) error {
		records, err := c.DiskUsage(ctx)
		if err != nil {
			return fmt.Errorf("measuring the worker's cache: %w", err)
		}
		before = usageOf(records)
		how := []client.PruneOption{client.WithKeepOpt(0, 0, keep, 0)}
		if keep == 0 {
			how = []client.PruneOption{client.PruneAll}
		}
		if before.Bytes > keep {
			if err := c.Prune(ctx, nil, how...); err != nil {
				return fmt.Errorf("pruning the worker's cache: %w", err)
			}
		}
		if records, err = c.DiskUsage(ctx); err != nil {
			return fmt.Errorf("measuring the worker's cache: %w", err)
		}
		after = usageOf(records)
		return nil
	})
	unused := snapshot.Unused
	if keep == 0 {
		unused = 0 // of what workers have got of contexts nothing is left
	}
	return before, after, errors.Join(err, snapshot.Prune(memories(o.StateDir), unused))
}

// withEmbedded calls do with a client of an embedded worker, which lasts as long.
func withEmbedded(ctx context.Context, o Options, do func(*client.Client) error) (err error) {
	w := &worker{WorkerAddr: WorkerAddr{Addr: Embedded}}
	if err := w.start(ctx, embedded.Options{StateDir: o.StateDir, Note: o.Note}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return do(w.client)
}
