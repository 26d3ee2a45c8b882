package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/build/emulator"
	embedded "mtool/build/worker"
	"mtool/inspect/platform"
)

// pool is the workers of one command, and which of them builds what.
type pool struct {
	workers []*worker
	of      []*worker // of platform number i
	plan    plan
}

// newPool finds a worker for each platform and prepares it; for a preflight, the embedded one is not started.
func newPool(ctx context.Context, job Job, d *dockerfile, preflight bool) (_ *pool, err error) {
	all, err := connectAll(ctx, job.Spec.Execution, job.Spec.Platforms)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(all))
		}
	}()
	of, err := assign(all, job.Spec.Platforms)
	if err != nil {
		return nil, err
	}
	job.Options.Note = once(job.Options.Note)
	p := &pool{
		of: of,
		plan: plan{
			requirements: make([]requirements, len(of)), bases: make([][]localBase, len(of)),
			remote: map[string]registryAnswer{},
		},
	}
	for _, w := range all {
		part, mine := partOf(job, of, w)
		if len(mine) == 0 {
			if err := w.close(); err != nil {
				return nil, err
			}
			continue
		}
		planned, err := w.prepare(ctx, part, d, preflight)
		if err != nil {
			return nil, err
		}
		if len(job.Spec.Workers) > 0 {
			job.Options.say(strings.Join(platform.FormatAll(part.Spec.Platforms), ", ") + ": worker " + w.Addr)
		}
		p.add(w, planned, mine)
	}
	return p, nil
}

// add assigns a worker and its plan to its platforms.
func (p *pool) add(w *worker, planned plan, mine []int) {
	p.workers = append(p.workers, w)
	for k, i := range mine {
		p.plan.requirements[i], p.plan.bases[i] = planned.requirements[k], planned.bases[k]
	}
	maps.Copy(p.plan.remote, planned.remote)
}

// prepare plans the worker's platforms of a job and prepares the worker: it starts the embedded one, except for a
// preflight.
func (w *worker) prepare(ctx context.Context, job Job, d *dockerfile, preflight bool) (plan, error) {
	if !w.embedded() {
		return w.prepareRemote(ctx, job, d)
	}
	if err := embedded.Available(); err != nil {
		return plan{}, err
	}
	if err := checkCaches(job.Spec); err != nil {
		return plan{}, err
	}
	p, err := newPlan(ctx, job, d, w.buildMachine())
	if err != nil {
		return p, err
	}
	if job.Spec.NativeOnly {
		if err := w.nativeOnly(p); err != nil {
			return p, err
		}
	}
	emulators, err := chooseEmulators(w.host, job, p, func(e emulator.Emulator, dir string) (emulator.Found, error) {
		return emulator.FindOrHost(e, dir, emulator.ReadEntries(emulator.Dir))
	})
	if err != nil || preflight {
		return p, err
	}
	if job.Spec.CgroupParent != "" {
		job.Options.say("the parent of control groups is left out: the embedded worker makes none")
	}
	proxies, all := w.gatewayPorts(job)
	return p, w.start(ctx, embedded.Options{
		StateDir: job.Options.StateDir, Host: w.host, Emulators: emulators, Allow: job.Spec.Allow,
		NoProcessSandbox: job.Spec.NoProcessSandbox, MaxParallelism: job.Spec.MaxParallelism,
		OwnNetwork: job.Spec.Network == NetworkSandbox,
		Proxies:    proxies, HostGateway: all,
		Registries: job.Options.Registries, Note: job.Options.Note,
	})
}

// prepareRemote plans for a worker that the user named, and checks that it can run the required platforms.
func (w *worker) prepareRemote(ctx context.Context, job Job, d *dockerfile) (plan, error) {
	p, err := newPlan(ctx, job, d, w.buildMachine())
	if err == nil {
		err = w.runsAll(p)
	}
	if err == nil && w.engine != nil {
		err = beyondEngine(job.Spec)
	}
	for _, n := range p.requirements { // while the rest is made ready
		for _, run := range n.Runs {
			w.probes.begin(run)
		}
	}
	if err == nil && job.Spec.NativeOnly {
		err = w.nativeOnly(p)
	}
	return p, err
}

func (w *worker) runsAll(p plan) error {
	for _, n := range p.requirements {
		i := slices.IndexFunc(n.Runs, func(run v1.Platform) bool { return !runsOn(w.runnable, run) })
		if i >= 0 {
			return &WorkerError{
				Doing:  "building " + platform.Format(n.Runs[i]),
				Err:    fmt.Errorf("%s runs only %s", w, strings.Join(platform.FormatAll(w.runnable), ", ")),
				Advice: advice.Of(advice.OwnWorker),
			}
		}
	}
	return nil
}

// nativeOnly refuses emulation.
func (w *worker) nativeOnly(p plan) error {
	for _, n := range p.requirements {
		for _, run := range n.Runs {
			if e := w.emulator(run); e != "" {
				return &WorkerError{
					Doing:  "building " + platform.Format(run),
					Err:    fmt.Errorf("%s would emulate it by qemu-%s, and only native builds are allowed", w, e),
					Advice: advice.Of(advice.NativeWorker, platform.Format(run)),
				}
			}
		}
	}
	return nil
}

func (p *pool) close() error { return closeAll(p.workers) }

// embedded returns the embedded worker; nil if the pool has none.
func (p *pool) embedded() *worker {
	for _, w := range p.workers {
		if w.embedded() {
			return w
		}
	}
	return nil
}

// partOf returns a worker's part of a job, and the numbers of its platforms.
func partOf(job Job, of []*worker, w *worker) (part Job, mine []int) {
	part = job
	part.Spec.Platforms = nil
	for i, other := range of {
		if other == w {
			mine = append(mine, i)
			part.Spec.Platforms = append(part.Spec.Platforms, job.Spec.Platforms[i])
		}
	}
	return part, mine
}

// once passes on each note only once: several workers' parts of a job give the same ones.
func once(note func(advice.Note)) func(advice.Note) {
	said := map[string]bool{}
	return func(n advice.Note) {
		if note != nil && !said[n.Text] {
			said[n.Text] = true
			note(n)
		}
	}
}
