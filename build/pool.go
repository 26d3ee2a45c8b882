package build

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/build/advice"
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
	all, err := connectAll(ctx, job.Spec.Execution)
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
			job.Options.say(formatted(part.Spec.Platforms) + ": worker " + w.Addr)
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

func formatted(all []v1.Platform) string {
	var names []string
	for _, p := range all {
		names = append(names, platform.Format(p))
	}
	return strings.Join(names, ", ")
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

// connectAll connects to all workers at once. Without addresses that is the embedded one, which also builds the rest
// if each address is for one platform.
func connectAll(ctx context.Context, where Execution) ([]*worker, error) {
	addrs := where.Workers
	if !slices.ContainsFunc(addrs, func(a WorkerAddr) bool { return a.Platform == nil }) {
		addrs = append(slices.Clip(addrs), WorkerAddr{Addr: Embedded})
	}
	all := make([]*worker, len(addrs))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, a := range addrs {
		group.Go(func() (err error) {
			all[i], err = connect(groupCtx, a, where.TLS)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, closeAll(all))
	}
	for _, w := range all {
		if !w.embedded() {
			w.probes = newProbes(ctx, w.client)
		}
	}
	return all, nil
}

// Ranks of a worker for a platform, the best first.
const (
	rankNative = iota
	rankEmulated
	rankCopies // it can't run the platform's programs, which is fine for a Dockerfile without RUN
	rankNever
)

func (w *worker) rank(target v1.Platform) int {
	if w.Platform != nil && !platform.Satisfies(target, *w.Platform) {
		return rankNever
	}
	_, err := w.host.Of(target)
	runs := w.embedded() && err == nil || runsOn(w.runnable, target)
	switch {
	case w.Platform != nil, runs && w.emulator(target) == "":
		return rankNative
	case runs:
		return rankEmulated
	}
	return rankCopies
}

// assign gives each target to its best worker, and among equals to the one with less to do.
func assign(workers []*worker, targets []v1.Platform) ([]*worker, error) {
	if len(workers) == 1 && workers[0].Platform == nil {
		return slices.Repeat(workers, len(targets)), nil // there is no choice, so nothing to ask
	}
	load := map[*worker]int{}
	of := make([]*worker, len(targets))
	for i, target := range targets {
		best := rankNever
		for _, w := range workers {
			if r := w.rank(target); r < best || r == best && load[w] < load[of[i]] {
				best, of[i] = r, w
			}
		}
		if of[i] == nil {
			return nil, &WorkerError{
				Doing:  "building " + platform.Format(target),
				Err:    errors.New("none of the workers is for it: " + addresses(workers)),
				Advice: advice.Of(advice.WorkerFor, platform.Format(target)),
			}
		}
		load[of[i]]++
	}
	return of, nil
}

func addresses(workers []*worker) string {
	var all []string
	for _, w := range workers {
		name := w.Addr
		if w.Platform != nil {
			name = platform.Format(*w.Platform) + "=" + name
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}
