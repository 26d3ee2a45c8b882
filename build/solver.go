package build

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"golang.org/x/sync/errgroup"

	"mtool/inspect/platform"
	"mtool/registry"
)

// buildKit solves with an embedded worker, or with those of Spec.Workers.
type buildKit struct{}

// Solve implements Solver. It starts nothing before it knows that every platform can be built here.
func (buildKit) Solve(ctx context.Context, job Job) ([]Layout, error) {
	job.Spec = withEpoch(job.Spec, os.LookupEnv)
	d, err := readDockerfile(job.Spec)
	if err != nil {
		return nil, err
	}
	job = chooseFrontend(ctx, job, d)
	ctx, end := limit(ctx, job.Spec.Timeout)
	defer end()
	c, err := muster(ctx, job, d, false)
	if err != nil {
		return nil, err
	}
	note := job.Options.Note
	if note == nil {
		note = func(string) {}
	}
	if c.plan.runs() && job.Spec.Network != "none" {
		note("RUN steps share the network of the machine they run on")
	}
	layouts, err := shareFiles(ctx, c, job)
	keep := cmp.Or(job.Spec.KeepStorage, defaultKeep(job.Options.StateDir))
	if err != nil {
		c.sweep(ctx, keep)
		return nil, errors.Join(err, c.close())
	}
	if m := c.embedded(); m != nil {
		if err := prune(ctx, m.client, keep); err != nil {
			note(err.Error()) // the images are built all the same
		}
	}
	if err := c.close(); err != nil {
		note(err.Error())
	}
	return layouts, nil
}

// shareFiles solves every platform with one view of the files.
func shareFiles(ctx context.Context, c crew, job Job) ([]Layout, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f, err := openFiles(job, c, stop)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := f.close(); err != nil {
			job.Options.Say(err.Error()) // the next build sends every file again
		}
	}()
	if provenance(job.Spec.Provenance) == "" { // it has the request, and the session's name would differ each time
		for _, m := range c.all {
			if err := f.share(ctx, m); err != nil {
				return nil, err
			}
		}
	}
	layouts, err := solveAll(ctx, c, job, f)
	if unread := f.err(); unread != nil {
		layouts, err = nil, unread // the worker tells it in words of its own, if at all
	}
	return layouts, err
}

// solveAll solves every platform at once. The first failure ends the others.
func solveAll(ctx context.Context, c crew, job Job, f *files) ([]Layout, error) {
	display, err := newDisplay(job.Spec)
	if err != nil {
		return nil, err
	}
	defer display.close()
	layouts := make([]Layout, len(job.Spec.Platforms))
	ctx, idle := watchIdle(ctx, job.Spec.IdleTimeout)
	defer idle.stop()
	group, groupCtx := errgroup.WithContext(ctx)
	for i, target := range job.Spec.Platforms {
		group.Go(func() (err error) {
			s := solve{machine: c.of[i], job: job, target: target, needs: c.plan.needs[i], bases: c.plan.bases[i], files: f}
			layouts[i], err = s.run(groupCtx, display, idle, filepath.Join(job.Dir, strconv.Itoa(i)))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return layouts, nil
}

// solve is the build of one platform.
type solve struct {
	machine *machine
	job     Job
	target  v1.Platform
	needs   needs
	bases   []local
	files   *files
}

func (s solve) run(ctx context.Context, display *display, idle *idle, dir string) (Layout, error) {
	opt, err := request(s.job, s.target, s.bases, s.machine.proxy(s.job), dir)
	if err != nil {
		return Layout{}, fmt.Errorf("preparing the build for %s: %w", platform.Format(s.target), err)
	}
	s.files.into(&opt, s.machine)
	var inEngine registry.Ref
	var others []client.ExportEntry
	if s.machine.engine != nil {
		inEngine = viaEngine(&opt)
		opt, others = oneByOne(opt)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	seen := newRecord(s.machine.watchTransfers(s.job.Options, stop))
	seen.heard = func(running client.Vertex) { idle.heard(running, s.machine.name == "") }
	seen.crashed = s.onCrash(stop)
	go s.machine.pulse(ctx, stop)
	response, err := s.ask(ctx, opt, display.follow(s.target, seen))
	seen.wait()
	if err == nil {
		err = seen.wrongBase()
	}
	if err == nil && len(others) > 0 {
		seen, err = s.export(ctx, opt, others, display)
	}
	if err != nil {
		return Layout{}, s.explain(ctx, err, seen, display)
	}
	if s.job.Spec.Name == nil {
		return Layout{}, nil
	}
	l := Layout{Dir: dir}
	if s.machine.engine != nil {
		l, err = s.fetch(ctx, inEngine, dir)
	} else {
		l.Root, err = rootOf(response)
	}
	if err != nil {
		return Layout{}, fmt.Errorf("building %s: %w", platform.Format(s.target), err)
	}
	for _, p := range s.needs.Runs {
		if platform.Equal(p, s.target) {
			l.Emulator = s.machine.emulator(p)
		}
	}
	return l, nil
}

func rootOf(r *client.SolveResponse) (v1.Descriptor, error) {
	var d v1.Descriptor
	text, err := base64.StdEncoding.DecodeString(r.ExporterResponse[exptypes.ExporterImageDescriptorKey])
	if err != nil {
		return d, fmt.Errorf("decoding the worker's answer: %w", err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("decoding the worker's answer: %w", err)
	}
	return d, nil
}

func runsOn(runnable []v1.Platform, want v1.Platform) bool {
	for _, r := range runnable {
		if r.Architecture == want.Architecture && platforms.Only(spec(r)).Match(spec(want)) {
			return true
		}
	}
	return false
}
