package buildkit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"

	"mtool/build"
	"mtool/build/emulator"
	"mtool/inspect/platform"
)

// machine is a worker with a connection to it.
type machine struct {
	client *client.Client
	// emulator names what runs a platform's programs, "" when they run natively.
	emulator func(v1.Platform) string
	err      func() error // how the worker ended, nil while it lives
	close    func() error
}

// plan is what is known before anything is started or sent, one member for each platform.
type plan struct {
	needs []needs
	bases [][]local
}

// prepare reads what each platform needs and finds the bases that the store has.
func prepare(ctx context.Context, job build.Job, d *dockerfile, buildMachine v1.Platform) (plan, error) {
	var p plan
	for _, target := range job.Spec.Platforms {
		n, err := d.needs(question{Target: job.Spec.Target, For: target, BuildMachine: buildMachine, BuildArgs: job.Spec.BuildArgs})
		if err != nil {
			return p, err
		}
		bases, err := localBases(ctx, job.Options.Store, n.Bases)
		if err != nil {
			return p, fmt.Errorf("building %s: %w", platform.Format(target), err)
		}
		p.needs = append(p.needs, n)
		p.bases = append(p.bases, bases)
	}
	return p, nil
}

// runs says whether some step will be run.
func (p plan) runs() bool {
	for _, n := range p.needs {
		if len(n.Runs) > 0 {
			return true
		}
	}
	return false
}

// embedded starts a worker of our own, with the emulators that the plan needs.
func (s Solver) embedded(ctx context.Context, job build.Job, d *dockerfile) (*machine, plan, error) {
	host := emulator.Detect()
	own := v1.Platform{OS: host.Platform.OS, Architecture: host.Platform.Architecture}
	p, err := prepare(ctx, job, d, platform.Normalize(own))
	if err != nil {
		return nil, p, err
	}
	emulators, err := chooseEmulators(host, job, p, emulator.Find)
	if err != nil {
		return nil, p, err
	}
	w, err := s.Start(ctx, build.WorkerOptions{
		StateDir: job.Options.StateDir, Emulators: emulators,
		PlainHTTP: job.Options.PlainHTTP, SkipVerify: job.Options.SkipVerify, Note: job.Options.Note,
	})
	if err != nil {
		return nil, p, err
	}
	c, err := Connect(ctx, "", w.Dial)
	if err != nil {
		return nil, p, errors.Join(err, w.Close())
	}
	return &machine{
		client: c, err: w.Err,
		emulator: func(p v1.Platform) string {
			way, _ := host.Of(p)
			return way.Emulator.Name
		},
		close: func() error { return errors.Join(c.Close(), w.Close()) },
	}, p, nil
}

// chooseEmulators finds one for each foreign platform. It may be missing where the Dockerfile runs nothing for it.
func chooseEmulators(host emulator.Host, job build.Job, p plan, find func(emulator.Emulator, string) (emulator.Found, error)) ([]emulator.Found, error) {
	var all []emulator.Found
	seen := map[string]bool{}
	add := func(target v1.Platform, needed bool) error {
		way, err := host.Of(target)
		if err != nil || way.Native || seen[way.Emulator.Name] {
			return cantRun(target, err, needed)
		}
		f, err := find(way.Emulator, job.Options.EmulatorsDir)
		if err != nil {
			return cantRun(target, err, needed)
		}
		seen[way.Emulator.Name] = true
		all = append(all, f)
		return nil
	}
	for i, target := range job.Spec.Platforms {
		for _, run := range p.needs[i].Runs {
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
	e := &build.WorkerError{Doing: "building " + platform.Format(target), Err: err, Next: "use a worker that runs it: --worker ADDRESS"}
	if missing := (*emulator.MissingError)(nil); errors.As(err, &missing) {
		e.Next = missing.Hint()
	}
	return e
}

// external connects to the worker that the user named.
func external(ctx context.Context, job build.Job, d *dockerfile) (*machine, plan, error) {
	addr := job.Spec.Worker
	c, err := Connect(ctx, addr, nil)
	if err != nil {
		return nil, plan{}, err
	}
	runnable, err := ask(ctx, c, addr)
	if err != nil {
		return nil, plan{}, errors.Join(err, c.Close())
	}
	p, err := prepare(ctx, job, d, runnable[0])
	if err == nil {
		err = allRun(addr, runnable, p)
	}
	if err != nil {
		return nil, p, errors.Join(err, c.Close())
	}
	host := emulator.Host{Platform: runnable[0]}
	return &machine{
		client: c, err: func() error { return nil }, close: c.Close,
		emulator: func(p v1.Platform) string {
			way, _ := host.Of(p)
			return way.Emulator.Name
		},
	}, p, nil
}

func allRun(addr string, runnable []v1.Platform, p plan) error {
	var names []string
	for _, r := range runnable {
		names = append(names, platform.Format(r))
	}
	for _, n := range p.needs {
		for _, run := range n.Runs {
			if !runsOn(runnable, run) {
				return &build.WorkerError{
					Doing: "building " + platform.Format(run),
					Err:   fmt.Errorf("worker %q runs only %s", addr, strings.Join(names, ", ")),
					Next:  "install an emulator there, or leave --worker out: mtool then starts a worker with its own",
				}
			}
		}
	}
	return nil
}
