package buildkit

import (
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

	"mtool/build"
	"mtool/inspect/platform"
)

// Solver builds with BuildKit: with an embedded worker, or with the one at Spec.Worker.
type Solver struct {
	Start build.StartWorker // needed for the embedded worker
}

var _ build.Solver = Solver{}

// Solve implements build.Solver. It starts nothing before it knows that every platform can be built here.
func (s Solver) Solve(ctx context.Context, job build.Job) ([]build.Layout, error) {
	job.Spec = withEpoch(job.Spec, os.LookupEnv)
	d, err := readDockerfile(job.Spec.Dockerfile)
	if err != nil {
		return nil, err
	}
	open := s.embedded
	if job.Spec.Worker != "" {
		open = external
	}
	m, p, err := open(ctx, job, d)
	if err != nil {
		return nil, err
	}
	note := job.Options.Note
	if note == nil {
		note = func(string) {}
	}
	if p.runs() {
		note("RUN steps use the network of the machine they run on")
	}
	layouts, err := solveAll(ctx, m, job, p)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	if job.Spec.Worker == "" {
		if err := prune(ctx, m.client); err != nil {
			note(err.Error()) // the images are built all the same
		}
	}
	if err := m.close(); err != nil {
		note(err.Error())
	}
	return layouts, nil
}

// solveAll solves every platform at once. The first failure ends the others.
func solveAll(ctx context.Context, m *machine, job build.Job, p plan) ([]build.Layout, error) {
	display, err := newDisplay(job.Spec)
	if err != nil {
		return nil, err
	}
	defer display.close()
	layouts := make([]build.Layout, len(job.Spec.Platforms))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, target := range job.Spec.Platforms {
		group.Go(func() (err error) {
			s := solve{machine: m, job: job, target: target, needs: p.needs[i], bases: p.bases[i]}
			layouts[i], err = s.run(groupCtx, display, filepath.Join(job.Dir, strconv.Itoa(i)))
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
	job     build.Job
	target  v1.Platform
	needs   needs
	bases   []local
}

func (s solve) run(ctx context.Context, display *display, dir string) (build.Layout, error) {
	opt, err := request(s.job, s.target, s.bases, dir)
	if err != nil {
		return build.Layout{}, fmt.Errorf("preparing the build for %s: %w", platform.Format(s.target), err)
	}
	seen := newRecord()
	response, err := s.machine.client.Solve(ctx, nil, opt, display.follow(s.target, seen))
	seen.wait()
	if err == nil {
		err = seen.wrongBase()
	}
	if err != nil {
		return build.Layout{}, s.explain(ctx, err, seen, display)
	}
	root, err := rootOf(response)
	if err != nil {
		return build.Layout{}, fmt.Errorf("building %s: %w", platform.Format(s.target), err)
	}
	l := build.Layout{Dir: dir, Root: root}
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
