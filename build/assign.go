package build

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/build/advice"
	"mtool/inspect/platform"
)

// connectAll connects at once to all workers that may build one of the targets. Without addresses that is the embedded
// one, which also builds the rest if each address is for one platform.
func connectAll(ctx context.Context, where Execution, targets []v1.Platform) ([]*worker, error) {
	addrs := slices.DeleteFunc(slices.Clone(where.Workers), func(a WorkerAddr) bool {
		return a.Platform != nil &&
			!slices.ContainsFunc(targets, func(t v1.Platform) bool { return platform.Satisfies(t, *a.Platform) })
	})
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
	_, err := w.host.Support(target)
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
