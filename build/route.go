package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// crew is the workers of one command, and which of them builds what.
type crew struct {
	all  []*machine
	of   []*machine // of platform number i
	plan plan
}

func (c crew) close() error {
	var errs []error
	for _, m := range c.all {
		errs = append(errs, m.close())
	}
	return errors.Join(errs...)
}

// embedded is the worker of our own, when it is one of them.
func (c crew) embedded() *machine {
	for _, m := range c.all {
		if m.name == "" {
			return m
		}
	}
	return nil
}

// muster finds a worker for each platform and makes it ready; with forecast, the embedded one is not started.
func muster(ctx context.Context, job Job, d *dockerfile, forecast bool) (c crew, err error) {
	all, err := sites(ctx, job.Spec.Where)
	if err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close(), hangUp(all))
			c = crew{}
		}
	}()
	of, err := assign(all, job.Spec.Platforms)
	if err != nil {
		return c, err
	}
	job.Options.Note = once(job.Options.Note)
	c.of = make([]*machine, len(of))
	c.plan = plan{needs: make([]needs, len(of)), bases: make([][]local, len(of)), remote: map[string]asked{}}
	for j := range all {
		part, mine := partOf(job, of, j)
		if len(mine) == 0 {
			continue
		}
		m, p, err := prepareAt(ctx, all[j], part, d, forecast)
		if err != nil {
			return c, err
		}
		if len(job.Spec.Workers) > 0 {
			job.Options.Note(formatted(part.Spec.Platforms) + ": worker " + all[j].Addr)
		}
		all[j].client = nil // the machine closes it now
		c.all = append(c.all, m)
		c.take(m, p, mine)
	}
	return c, hangUp(all)
}

func formatted(all []v1.Platform) string {
	var names []string
	for _, p := range all {
		names = append(names, platform.Format(p))
	}
	return strings.Join(names, ", ")
}

// partOf is what worker j gets to do of a job, and the numbers of its platforms.
func partOf(job Job, of []int, j int) (Job, []int) {
	var mine []int
	part := job
	part.Spec.Platforms = nil
	for i, at := range of {
		if at == j {
			mine = append(mine, i)
			part.Spec.Platforms = append(part.Spec.Platforms, job.Spec.Platforms[i])
		}
	}
	return part, mine
}

// take puts a worker and what is planned for it into its places.
func (c *crew) take(m *machine, p plan, mine []int) {
	for k, i := range mine {
		c.of[i], c.plan.needs[i], c.plan.bases[i] = m, p.needs[k], p.bases[k]
	}
	maps.Copy(c.plan.remote, p.remote)
}

func prepareAt(ctx context.Context, at site, job Job, d *dockerfile, forecast bool) (m *machine, p plan, err error) {
	if at.embedded() {
		return startEmbedded(ctx, at.host, job, d, forecast)
	}
	return external(ctx, at, job, d)
}

// once tells each line one time: several workers' parts of a job have the same to say.
func once(note func(string)) func(string) {
	said := map[string]bool{}
	return func(line string) {
		if note != nil && !said[line] {
			said[line] = true
			note(line)
		}
	}
}

// nativeOnly refuses what would be emulated.
func nativeOnly(name string, emulates func(v1.Platform) string, p plan) error {
	for _, n := range p.needs {
		for _, run := range n.Runs {
			if e := emulates(run); e != "" {
				if name == "" {
					name = "the embedded worker"
				}
				return &WorkerError{
					Doing: "building " + platform.Format(run), Err: fmt.Errorf("%s would emulate it by qemu-%s, and --native-only forbids that", name, e),
					Next: "--worker " + platform.Format(run) + "=ADDRESS of a native one",
				}
			}
		}
	}
	return nil
}
