package engine

import (
	"context"
	"fmt"

	images "github.com/docker/docker/api/types/image"

	"mtool/registry"
)

// Remove takes a name from an image; the image goes with its last one. What builds may use again of it stays.
func (e *Engine) Remove(ctx context.Context, ref registry.Ref) error {
	if _, err := e.api.ImageRemove(ctx, imageName(ref), images.RemoveOptions{}); err != nil {
		return e.failure(ctx, fmt.Sprintf("removing %q", ref), err)
	}
	return nil
}
