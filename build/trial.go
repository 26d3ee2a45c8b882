package build

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/inspect"
)

// TrialOptions say how to run commands in images.
type TrialOptions struct {
	Execution
	// Limit ends a command that runs longer; 0: one minute. Fetching the image does not count.
	Limit time.Duration
}

// Runner runs commands in images on BuildKit workers, which are chosen as for builds.
type Runner struct {
	Options Options // Solver and Verify are not used
	TrialOptions
}

var _ inspect.Runner = Runner{}

const defaultLimit = time.Minute

// Run implements inspect.Runner. A trial without a worker or emulator has an outcome that says so, and the others
// run.
func (r Runner) Run(ctx context.Context, trials []inspect.Trial) ([]inspect.Outcome, error) {
	all := make([]inspect.Outcome, len(trials))
	var able []int
	for i, t := range trials {
		if err := r.check(ctx, t); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			all[i] = inspect.Outcome{Exit: -1, Err: err}
			continue
		}
		able = append(able, i)
	}
	if len(able) == 0 {
		return all, nil
	}
	dir, remove, err := r.scratch(trials)
	if err != nil {
		return nil, err
	}
	defer remove()
	var platforms []v1.Platform
	for _, i := range able {
		platforms = append(platforms, trials[i].Image.Platform())
	}
	c, err := r.newPool(ctx, platforms, false)
	if err != nil {
		return nil, err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for n, i := range able {
		group.Go(func() (err error) {
			run := trial{Trial: trials[i], worker: c.of[n], limit: cmp.Or(r.Limit, defaultLimit), options: r.Options, dir: dir}
			all[i], err = run.outcome(groupCtx)
			return err
		})
	}
	return all, errors.Join(group.Wait(), c.close())
}

// check returns why a trial can't run, without starting anything.
func (r Runner) check(ctx context.Context, t inspect.Trial) error {
	c, err := r.newPool(ctx, []v1.Platform{t.Image.Platform()}, true)
	if err != nil {
		return err
	}
	return c.close()
}

// newPool finds workers as if a Dockerfile ran something on each of the platforms.
func (r Runner) newPool(ctx context.Context, platforms []v1.Platform, preflight bool) (*pool, error) {
	d, err := parseDockerfile([]byte("FROM scratch\nRUN [\"/\"]\n"))
	if err != nil {
		return nil, err
	}
	job := Job{Spec: Spec{Platforms: platforms, Execution: r.Execution}, Options: r.Options}
	if preflight {
		job.Options.Note = nil
	}
	c, err := newPool(ctx, job, d, preflight)
	if w := (*WorkerError)(nil); errors.As(err, &w) {
		w.Doing = strings.Replace(w.Doing, "building ", "running a program of ", 1)
	}
	return c, err
}

// scratch creates a directory if the worker gets an image from this side.
func (r Runner) scratch(trials []inspect.Trial) (string, func(), error) {
	if slices.ContainsFunc(trials, func(t inspect.Trial) bool { return !fetched(t) }) {
		return Scratch(filepath.Dir(r.Options.Store.Dir()))
	}
	return "", func() {}, nil
}
