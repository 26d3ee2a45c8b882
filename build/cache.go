package build

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/buildkit/client"

	"mtool/build/snapshot"
	embedded "mtool/build/worker"
)

// Usage is the size of a worker's cache.
type Usage struct {
	Records  int
	Bytes    int64
	InUse    int64 // bytes that can't be pruned now
	Reusable int64 // bytes that can
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

// PruneCache prunes the embedded worker's cache to keep bytes (0 empties it) and returns its size before and after.
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
		unused = 0 // the workers' copies of contexts are gone
	}
	return before, after, errors.Join(err, snapshot.Prune(memories(o.StateDir), unused))
}

// withEmbedded calls do with a client of an embedded worker, which stops afterwards.
func withEmbedded(ctx context.Context, o Options, do func(*client.Client) error) (err error) {
	w := &worker{WorkerAddr: WorkerAddr{Addr: Embedded}}
	if err := w.start(ctx, embedded.Options{StateDir: o.StateDir, Note: o.Note}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return do(w.client)
}

// By default the embedded worker's cache may use a tenth of its disk, at most this.
const mostBytes = 20 * 1000 * 1000 * 1000

// defaultKeep returns the default size limit of the cache in dir.
func defaultKeep(dir string) int64 {
	size, ok := diskSize(dir)
	if !ok {
		return mostBytes
	}
	const part = 10
	return min(mostBytes, size/part)
}

// prune prunes a cache to keep bytes, least recently used first. BuildKit's own garbage collection runs minutes after
// a build, when this worker is gone.
func prune(ctx context.Context, c *client.Client, keep int64) error {
	records, err := c.DiskUsage(ctx)
	if err != nil {
		return fmt.Errorf("measuring the worker's cache: %w", err)
	}
	if total(records) <= keep {
		return nil
	}
	if err := c.Prune(ctx, nil, client.WithKeepOpt(0, 0, keep, 0)); err != nil {
		return fmt.Errorf("pruning the worker's cache: %w", err)
	}
	return nil
}

// sweep frees what a failed build left behind: the files of an unfinished step stay until something is pruned. What
// can't be freed now is freed by a later build.
func (p *pool) sweep(ctx context.Context, keep int64) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if w := p.embedded(); w != nil {
		_ = w.client.Prune(ctx, nil, client.WithKeepOpt(0, 0, keep, 0))
	}
}

func total(records []*client.UsageInfo) int64 {
	var sum int64
	for _, r := range records {
		sum += r.Size
	}
	return sum
}
