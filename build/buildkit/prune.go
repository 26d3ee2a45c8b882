package buildkit

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client"
)

// The embedded worker's cache is cut back to keepBytes once a build leaves it larger than limitBytes. BuildKit's own
// collection runs minutes after a build, when this worker is long gone.
const (
	limitBytes = 20 << 30
	keepBytes  = 15 << 30
)

func prune(ctx context.Context, c *client.Client) error {
	records, err := c.DiskUsage(ctx)
	if err != nil {
		return fmt.Errorf("measuring the worker's cache: %w", err)
	}
	var total int64
	for _, r := range records {
		total += r.Size
	}
	if total <= limitBytes {
		return nil
	}
	if err := c.Prune(ctx, nil, client.WithKeepOpt(0, 0, keepBytes, 0)); err != nil {
		return fmt.Errorf("pruning the worker's cache: %w", err)
	}
	return nil
}
