package app

import (
	"context"
	"errors"

	"mtool/build"
)

// Workers looks at the workers that a build would use. The error joins those of the ones that do not answer.
func (e *Env) Workers(ctx context.Context, w build.Execution) ([]build.WorkerInfo, error) {
	seen := build.Workers(ctx, w, e.workerPlace())
	var errs []error
	for _, s := range seen {
		errs = append(errs, s.Err)
	}
	return seen, errors.Join(errs...)
}
