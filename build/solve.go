package build

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"golang.org/x/sync/errgroup"

	"mtool/inspect/platform"
	"mtool/registry"
)

// buildKit solves with the embedded worker, or with those of Spec.Workers.
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
	job, missing, err := job.possible(ctx, d)
	if err != nil {
		return nil, err
	}
	p, err := newPool(ctx, job, d, false)
	if err != nil {
		return nil, err
	}
	p.sayNetworks(job)
	layouts, err := shareFiles(ctx, p, job)
	keep := cmp.Or(job.Spec.KeepStorage, defaultKeep(job.Options.StateDir))
	if err != nil {
		p.sweep(ctx, keep)
		return nil, errors.Join(err, p.close())
	}
	if slices.ContainsFunc(layouts, func(l Layout) bool { return l.Err != nil }) {
		p.sweep(ctx, keep)
	}
	if w := p.embedded(); w != nil {
		if err := prune(ctx, w.client, keep); err != nil {
			job.Options.say(err.Error()) // the images are built anyway
		}
	}
	if err := p.close(); err != nil {
		job.Options.say(err.Error())
	}
	return withMissing(layouts, missing), nil
}

// shareFiles solves all platforms with one view of the files.
func shareFiles(ctx context.Context, p *pool, job Job) ([]Layout, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f, err := openFiles(job, p.workers, stop)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := f.close(); err != nil {
			job.Options.say(err.Error()) // the next build sends every file again
		}
	}()
	if provenance(job.Spec.Provenance) == "" { // it contains the request, so the session's name would change it
		for _, w := range p.workers {
			if err := f.share(ctx, w); err != nil {
				return nil, err
			}
		}
	}
	layouts, err := solveAll(ctx, p, job, f)
	if unread := f.err(); unread != nil {
		layouts, err = nil, unread // the worker reports it unclearly, if at all
	}
	return layouts, err
}

// solveAll solves every platform at once. The first failure of one that is not optional ends the others.
func solveAll(ctx context.Context, p *pool, job Job, f *files) ([]Layout, error) {
	display, err := newDisplay(job.Spec)
	if err != nil {
		return nil, err
	}
	_, shown := registry.Begin(ctx, registry.Work{Doing: "building", Shown: true})
	defer func() {
		display.close()
		shown.End(registry.Present, nil)
	}()
	layouts := make([]Layout, len(job.Spec.Platforms))
	ctx, idle := newIdleTimeout(ctx, job.Spec.IdleTimeout)
	defer idle.stop()
	group, groupCtx := errgroup.WithContext(ctx)
	if job.Spec.MaxParallelism > 0 {
		group.SetLimit(job.Spec.MaxParallelism)
	}
	for i, target := range job.Spec.Platforms {
		group.Go(func() (err error) {
			s := solve{
				worker: p.of[i], job: job, target: target, requirements: p.plan.requirements[i],
				bases: p.plan.bases[i], files: f,
			}
			layouts[i], err = s.run(groupCtx, display, idle, filepath.Join(job.Dir, strconv.Itoa(i)))
			if err != nil && job.Spec.forgives(target, err) {
				layouts[i], err = Layout{Err: err}, nil
			}
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
	worker       *worker
	job          Job
	target       v1.Platform
	requirements requirements
	bases        []localBase
	files        *files
}

func (s solve) run(ctx context.Context, display *display, idle *idleTimeout, dir string) (Layout, error) {
	job, err := s.job, error(nil)
	if job.Spec.AddHosts, err = s.worker.withGateway(job.Spec.AddHosts, job.Spec.Network == NetworkSandbox); err != nil {
		return Layout{}, err
	}
	opt, err := request(job, s.target, s.bases, s.worker.proxy(job), dir)
	if err != nil {
		return Layout{}, fmt.Errorf("preparing the build for %s: %w", platform.Format(s.target), err)
	}
	opt.CacheImports = written(ctx, s.job.Options, opt.CacheImports)
	s.files.into(&opt, s.worker)
	var inEngine registry.Ref
	var others []client.ExportEntry
	if s.worker.engine != nil {
		inEngine = viaEngine(&opt)
		opt, others = oneByOne(opt)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	seen := newRecord(s.worker.watchTransfers(s.job.Options, stop))
	seen.onUpdate = func(running client.Vertex) { idle.update(running, s.worker.embedded()) }
	seen.onCrash = s.onCrash(stop)
	go s.worker.heartbeat(ctx, stop)
	response, err := s.ask(ctx, opt, display, seen)
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
	if s.worker.engine != nil {
		l, err = takeFrom(ctx, s.worker.engine, inEngine, dir)
	} else {
		l.Root, err = rootOf(response)
	}
	if err != nil {
		return Layout{}, fmt.Errorf("building %s: %w", platform.Format(s.target), err)
	}
	l.Emulator, l.Ran = s.worker.howRun(s.requirements)
	return l, nil
}

// export makes each export in its own request, from the steps that the previous request has run.
func (s solve) export(
	ctx context.Context, opt client.SolveOpt, exports []client.ExportEntry, d *display,
) (*record, error) {
	opt.FrontendAttrs = maps.Clone(opt.FrontendAttrs)
	delete(opt.FrontendAttrs, "no-cache")
	opt.CacheExports = nil
	for i := range exports {
		opt.Exports = exports[i : i+1]
		seen := newRecord(newStallTimeout(-1, nil)) // everything was fetched
		_, err := s.ask(ctx, opt, d, seen)
		if err != nil || i == len(exports)-1 {
			return seen, err
		}
	}
	return nil, nil
}

// ask sends a request to the worker and waits until its progress is shown.
func (s solve) ask(
	ctx context.Context, opt client.SolveOpt, d *display, seen *record,
) (*client.SolveResponse, error) {
	files := receiver{skip: s.job.Spec.SkipDevices, say: s.job.Options.say}
	response, err := s.worker.solve(ctx, opt, files, d.follow(s.target, seen))
	seen.wait()
	return response, err
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
