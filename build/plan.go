package build

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/inspect/platform"
	"mtool/registry"
)

// plan is what is known before anything is started or sent, by platform number.
type plan struct {
	requirements []requirements
	bases        [][]localBase
	remote       map[string]registryAnswer // by the base's source
}

// newPlan reads what each platform needs and finds the bases that the store has.
func newPlan(ctx context.Context, job Job, d *dockerfile, buildMachine v1.Platform) (plan, error) {
	var p plan
	for _, target := range job.Spec.Platforms {
		n, err := d.requirements(inputsOf(job, target, buildMachine))
		if err != nil {
			return p, err
		}
		bases, err := localBases(ctx, job, n.Bases)
		if err != nil {
			return p, fmt.Errorf("building %s: %w", platform.Format(target), err)
		}
		if err := checkSecrets(job.Spec.Secrets, n.Secrets); err != nil {
			return p, err
		}
		p.requirements = append(p.requirements, n)
		p.bases = append(p.bases, bases)
	}
	if err := sayLint(job, d.lint(job.Spec.Platforms, p.requirements)); err != nil {
		return p, err
	}
	var err error
	p.remote, err = askRegistries(ctx, job, p)
	return p, err
}

// askRegistries looks up every base that is not in the store: once for each name, all at once. It returns an error if
// a base does not exist, or not for its platform. An unreachable registry is no error if the worker may still
// succeed: it runs elsewhere, or it may have cached an image that is named by its digest.
func askRegistries(ctx context.Context, job Job, p plan) (map[string]registryAnswer, error) {
	if job.Options.Client == nil {
		return nil, nil
	}
	all, err := askAll(ctx, job.Options, p)
	if err != nil {
		return nil, err
	}
	var errs []error
	said := map[string]bool{}
	for i, target := range job.Spec.Platforms {
		for _, b := range p.requirements[i].Bases {
			answer, ok := all[b.source()]
			if !ok {
				continue
			}
			err := answer.serves(ctx, job, b)
			if err == nil || said[err.Error()] {
				continue
			}
			said[err.Error()] = true
			errs = append(errs, fmt.Errorf("building %s: %w", platform.Format(target), err))
		}
	}
	return all, errors.Join(errs...)
}

func askAll(ctx context.Context, o Options, p plan) (map[string]registryAnswer, error) {
	var names []string
	for i, n := range p.requirements {
		for _, b := range n.Bases {
			if !p.hasLocal(i, b) && !slices.Contains(names, b.source()) {
				names = append(names, b.source())
			}
		}
	}
	answers := make([]registryAnswer, len(names))
	var g errgroup.Group // the client limits the requests in flight
	for i, name := range names {
		g.Go(func() error { answers[i] = askFor(ctx, o, name); return nil })
	}
	_ = g.Wait()
	all := map[string]registryAnswer{}
	for i, name := range names {
		if !errors.Is(answers[i].err, registry.ErrName) { // BuildKit's error says what is wrong, and where
			all[name] = answers[i]
		}
	}
	return all, ctx.Err()
}

// runs reports whether any step will run.
func (p plan) runs() bool {
	for _, n := range p.requirements {
		if len(n.Runs) > 0 {
			return true
		}
	}
	return false
}

// hasLocal reports whether the store has base b for platform number i.
func (p plan) hasLocal(i int, b base) bool {
	return slices.ContainsFunc(p.bases[i], func(l localBase) bool { return l.equal(b) })
}

// chooseEmulators finds an emulator for each foreign platform. It may be missing if the Dockerfile runs nothing for
// that platform.
func chooseEmulators(
	host emulator.Host, job Job, p plan, find func(emulator.Emulator, string) (emulator.Found, error),
) ([]emulator.Found, error) {
	var all []emulator.Found
	seen := map[string]bool{}
	add := func(target v1.Platform, needed bool) error {
		how, err := host.Support(target)
		if err != nil || how.Native || seen[how.Emulator.Name] {
			return cantRun(target, err, needed)
		}
		f, err := find(how.Emulator, job.Options.EmulatorsDir)
		if err != nil {
			return cantRun(target, err, needed)
		}
		seen[how.Emulator.Name] = true
		all = append(all, f)
		return nil
	}
	for i, target := range job.Spec.Platforms {
		for _, run := range p.requirements[i].Runs {
			if err := add(run, true); err != nil {
				return nil, err
			}
		}
		if err := add(target, false); err != nil { // for ONBUILD steps of its base images
			return nil, err
		}
	}
	return all, nil
}

func cantRun(target v1.Platform, err error, needed bool) error {
	if err == nil || !needed {
		return nil
	}
	e := &WorkerError{Doing: "building " + platform.Format(target), Err: err, Advice: advice.Of(advice.OtherWorker)}
	if missing := (*emulator.MissingError)(nil); errors.As(err, &missing) {
		e.Advice = advice.Say(missing.Hint())
	}
	return e
}
