package build

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/buildkit/client"
	"golang.org/x/sys/unix"
)

// Without another wish the embedded worker's cache may have a tenth of its disk, at most this.
const mostBytes = 20 * 1000 * 1000 * 1000

// defaultKeep is how large the cache in dir may be.
func defaultKeep(dir string) int64 {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return mostBytes
	}
	const part = 10
	return min(mostBytes, int64(fs.Blocks)*int64(fs.Bsize)/part)
}

// prune cuts a cache back to keep bytes, what was used least recently first. BuildKit's own collection runs minutes after
// a build, when this worker is long gone.
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

// sweep frees what a failed build left: the files of a step that did not end stay until something is pruned. What can't be
// freed now is freed by a later build.
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
