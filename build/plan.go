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
	triggers     map[string][]string       // of the bases, by base.key
}

// newPlan reads what each platform needs and finds the bases. Their ONBUILD steps may need more.
func newPlan(ctx context.Context, job Job, d *dockerfile, buildMachine v1.Platform) (plan, error) {
	p := plan{remote: map[string]registryAnswer{}, triggers: map[string][]string{}}
	if err := p.require(ctx, job, d, buildMachine); err != nil {
		return p, err
	}
	if err := sayLint(job, d.lint(job.Spec.Platforms, p.requirements)); err != nil {
		return p, err
	}
	if err := p.askRegistries(ctx, job); err != nil {
		return p, err
	}
	if more, err := p.readTriggers(ctx, job); err != nil || !more {
		return p, err
	}
	if err := p.require(ctx, job, d, buildMachine); err != nil {
		return p, err
	}
	return p, p.askRegistries(ctx, job)
}

// require reads what each platform needs and finds the bases that the store has.
func (p *plan) require(ctx context.Context, job Job, d *dockerfile, buildMachine v1.Platform) error {
	p.requirements, p.bases = nil, nil
	for _, target := range job.Spec.Platforms {
		in := inputsOf(job, target, buildMachine)
		in.Triggers = p.triggers
		n, err := d.requirements(in)
		if err != nil {
			return err
		}
		bases, err := localBases(ctx, job, n.Bases)
		if err != nil {
			return fmt.Errorf("building %s: %w", platform.Format(target), err)
		}
		if err := checkSecrets(job.Spec.Secrets, n.Secrets); err != nil {
			return err
		}
		if err := d.checkEntitlements(job.Spec, n.Entitlements); err != nil {
			return err
		}
		p.requirements = append(p.requirements, n)
		p.bases = append(p.bases, bases)
	}
	return nil
}

// readTriggers reads the ONBUILD steps of the bases that stages start from, and reports whether there are any. A
// config in a registry is read only where it matters: it takes two requests, and a platform that runs steps anyway
// needs its emulator without more. For its fingerprint it matters always.
func (p *plan) readTriggers(ctx context.Context, job Job) (found bool, err error) {
	for i, n := range p.requirements {
		for _, b := range n.Bases {
			_, known := p.triggers[b.key()]
			if !b.From || known {
				continue
			}
			var lines []string
			if at := p.local(i, b); at >= 0 {
				lines = p.bases[i][at].Triggers
			} else if a, ok := p.remote[b.source()]; ok && (job.Options.Reuse != nil || !n.runs(b.Platform)) {
				lines, err = a.triggers(ctx, job.Options, b)
			}
			if err != nil {
				return found, err
			}
			p.triggers[b.key()] = lines
			found = found || len(lines) > 0
		}
	}
	return found, nil
}

// runs reports whether steps of that platform run.
func (n requirements) runs(on v1.Platform) bool {
	return slices.ContainsFunc(n.Runs, func(o v1.Platform) bool { return platform.Equal(o, on) })
}

// askRegistries looks up every base that is not in the store: once for each name, all at once. It returns an error if
// a base does not exist, or not for its platform. An unreachable registry is no error if the worker may still
// succeed: it runs elsewhere, or it may have cached an image that is named by its digest.
func (p *plan) askRegistries(ctx context.Context, job Job) error {
	if job.Options.Client == nil {
		return nil
	}
	if err := p.askAll(ctx, job.Options); err != nil {
		return err
	}
	var errs []error
	said := map[string]bool{}
	for i, target := range job.Spec.Platforms {
		for _, b := range p.requirements[i].Bases {
			answer, ok := p.remote[b.source()]
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
	return errors.Join(errs...)
}

func (p *plan) askAll(ctx context.Context, o Options) error {
	var names []string
	for i, n := range p.requirements {
		for _, b := range n.Bases {
			_, asked := p.remote[b.source()]
			if !asked && p.local(i, b) < 0 && !slices.Contains(names, b.source()) {
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
	for i, name := range names {
		if !errors.Is(answers[i].err, registry.ErrName) { // BuildKit's error says what is wrong, and where
			p.remote[name] = answers[i]
		}
	}
	return ctx.Err()
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

// local returns the number of base b among the local bases of platform number i; -1 if it is not one.
func (p plan) local(i int, b base) int {
	return slices.IndexFunc(p.bases[i], func(l localBase) bool { return l.equal(b) })
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
		if err := add(target, false); err != nil { // for ONBUILD steps that are not known
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
