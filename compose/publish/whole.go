package publish

import (
	"context"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

// Whole writes what was read, unchanged and with all that is below it, to a target that is no registry. ref is its
// place there: a file with the full name as its tag.
func Whole(ctx context.Context, r inspect.Report, ref registry.Ref, to registry.Target, note func(string)) error {
	plan, err := compose.PlanOf(r, []registry.Ref{ref})
	if err != nil {
		return err
	}
	_, err = Upload(ctx, plan.Uploads[0], to, UploadOptions{Note: note})
	return err
}
