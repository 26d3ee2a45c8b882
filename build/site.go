package build

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"golang.org/x/sync/errgroup"

	"mtool/build/emulator"
	"mtool/inspect/platform"
	"mtool/registry/engine"
)

// site is a worker that may be used, before it is known what for.
type site struct {
	WorkerAddr
	client   *client.Client // nil: the embedded one
	engine   *engine.Engine // nil: not the BuildKit in one
	runnable []v1.Platform  // its own first; nil: the embedded one
	host     emulator.Host
	probes   *probes // nil: the embedded one, of which all is known
}

func (s site) embedded() bool { return s.Addr == Embedded }

// Ranks of a site for a platform, the best first.
const (
	rankNative = iota
	rankEmulated
	rankCopies // it can't run the platform's programs: right for a Dockerfile that runs none
	rankNever
)

func (s site) rank(target v1.Platform) int {
	if s.Platform != nil && !platform.Satisfies(target, *s.Platform) {
		return rankNever
	}
	_, err := s.host.Of(target)
	runs := s.embedded() && err == nil || runsOn(s.runnable, target)
	switch {
	case s.Platform != nil, runs && s.emulator(target) == "":
		return rankNative
	case runs:
		return rankEmulated
	}
	return rankCopies
}

// emulator is QEMU's name of what runs a platform's programs there, "" for the processor itself: seen where it can be, else
// guessed from what the worker says that it is.
func (s site) emulator(target v1.Platform) string {
	seen := unproved
	if s.probes != nil && runsOn(s.runnable, target) {
		seen = s.probes.of(target)
	}
	e, _ := emulator.ByArch(target.Architecture)
	switch {
	case seen == native, seen == unproved && s.Platform != nil: // then the user says so
		return ""
	case seen == emulated:
		return e.Name
	}
	return emulates(s.host)(target)
}

// assign gives each target to the best of the sites, and of equals to the one with less to do.
func assign(sites []site, targets []v1.Platform) ([]int, error) {
	load := make([]int, len(sites))
	of := make([]int, len(targets))
	if len(sites) == 1 && sites[0].Platform == nil {
		return of, nil // there is nothing to choose, and so nothing to ask
	}
	for i, target := range targets {
		best := -1
		for j, s := range sites {
			r := s.rank(target)
			if r == rankNever {
				continue
			}
			if best < 0 || r < sites[best].rank(target) || r == sites[best].rank(target) && load[j] < load[best] {
				best = j
			}
		}
		if best < 0 {
			return nil, &WorkerError{
				Doing: "building " + platform.Format(target), Err: errors.New("none of the workers is for it: " + names(sites)),
				Next: "--worker " + platform.Format(target) + "=ADDRESS, or --worker embedded",
			}
		}
		of[i] = best
		load[best]++
	}
	return of, nil
}

func names(sites []site) string {
	var all []string
	for _, s := range sites {
		name := s.Addr
		if s.Platform != nil {
			name = platform.Format(*s.Platform) + "=" + name
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

// sites contacts the workers, all at once. Without any address that is the embedded one, which also builds what is left
// over where each address is for one platform.
func sites(ctx context.Context, w Where) ([]site, error) {
	addrs := w.Workers
	rest := true
	for _, a := range addrs {
		rest = rest && a.Platform != nil
	}
	if rest {
		addrs = append(slices.Clip(addrs), WorkerAddr{Addr: Embedded})
	}
	all := make([]site, len(addrs))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, a := range addrs {
		group.Go(func() (err error) {
			all[i], err = contact(groupCtx, a, w.TLS)
			if all[i].probes != nil {
				all[i].probes.ctx = ctx // the group's ends with it
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, hangUp(all))
	}
	return all, nil
}

func contact(ctx context.Context, a WorkerAddr, tls WorkerTLS) (site, error) {
	s := site{WorkerAddr: a}
	if s.embedded() {
		s.host = emulator.Detect()
		return s, nil
	}
	if a.Addr == DockerEngine {
		return contactEngine(ctx, s)
	}
	// The connection outlives the group that makes it.
	c, err := Connect(context.WithoutCancel(ctx), a.Addr, nil, tls)
	if err != nil {
		return s, err
	}
	s.client, s.probes = c, newProbes(ctx, c)
	if s.runnable, err = ask(ctx, c, a.Addr, tls.Used()); err != nil {
		return s, err
	}
	s.host = hostOf(s.runnable)
	return s, nil
}

func contactEngine(ctx context.Context, s site) (_ site, err error) {
	if s.client, s.engine, err = connectEngine(context.WithoutCancel(ctx)); err != nil {
		return s, err
	}
	s.probes = newProbes(ctx, s.client)
	if s.runnable, err = ask(ctx, s.client, s.Addr, false); err != nil {
		return s, err
	}
	s.host = hostOf(s.runnable)
	return s, nil
}

func hangUp(all []site) error {
	var errs []error
	for _, s := range all {
		if s.client != nil {
			errs = append(errs, s.client.Close())
		}
		if s.client != nil && s.engine != nil {
			errs = append(errs, s.engine.Close())
		}
	}
	return errors.Join(errs...)
}

// hostOf guesses the machine behind a list of what it runs, its own first: BuildKit does not say what is emulated. The
// 32-bit architecture of the own one counts as native.
func hostOf(runnable []v1.Platform) emulator.Host {
	h := emulator.Host{Platform: runnable[0]}
	narrow := emulator.Narrow(h.Platform.Architecture)
	for _, p := range runnable {
		if p.Architecture == h.Platform.Architecture && p.Variant > h.Platform.Variant {
			h.Platform.Variant = p.Variant
		}
		if p.Architecture == narrow && len(h.Also) == 0 {
			h.Also = []string{narrow}
		}
	}
	return h
}
