package flow

import (
	"context"
	"errors"

	"mtool/build"
	"mtool/build/buildkit"
)

// Workers looks at the workers that a build would use. The error joins those of the ones that do not answer.
func (e *Env) Workers(ctx context.Context, w build.Where) ([]buildkit.Sight, error) {
	seen := solver().Look(ctx, w, e.workerPlace())
	var errs []error
	for _, s := range seen {
		errs = append(errs, s.Err)
	}
	return seen, errors.Join(errs...)
}

func solver() buildkit.Solver { return buildkit.Solver{Start: startWorker} }
