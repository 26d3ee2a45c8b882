package build

import (
	"context"

	"mtool/inspect/platform"
)

// foresee does what Solve does before it starts or sends anything, with the same errors. With a worker at an address it asks that what it runs.
func foresee(ctx context.Context, job Job) (Forecast, error) {
	d, err := readDockerfile(job.Spec)
	if err != nil {
		return Forecast{}, err
	}
	c, err := newPool(ctx, job, d, true)
	if err != nil {
		return Forecast{}, err
	}
	return c.forecast(job, d), c.close()
}

func (c *pool) forecast(job Job, d *dockerfile) Forecast {
	p := c.plan
	f := Forecast{Warnings: d.lint(job.Spec.Platforms, p.needs)}
	for i, target := range job.Spec.Platforms {
		planned := Planned{Platform: target}
		for _, run := range p.needs[i].Runs {
			if platform.Equal(run, target) {
				planned.Emulator = c.of[i].emulator(run)
			}
		}
		for _, b := range p.needs[i].Bases {
			planned.Bases = append(planned.Bases, p.found(i, b))
		}
		f.Platforms = append(f.Platforms, planned)
	}
	return f
}

// found is where a base of platform number i comes from.
func (p plan) found(i int, b base) Base {
	for _, l := range p.bases[i] {
		if l.equal(b) {
			from := "store"
			if l.Ref.IsFile() {
				from = l.Ref.Path
			}
			return Base{Name: b.Name, Platform: b.Platform, Digest: l.Digest, From: from}
		}
	}
	found := Base{Name: b.Name, Platform: b.Platform, From: "worker"}
	if a, ok := p.remote[b.source()]; ok && a.err == nil {
		found.From = a.ref.Host
		if image, ok := choose(a.images, b.Platform); ok {
			found.Digest = image.Descriptor.Digest
		}
	}
	return found
}

// sayLint tells the warnings, or makes them the error where they are to be one.
func sayLint(job Job, warnings []Warning) error {
	if len(warnings) > 0 && job.Spec.Strict {
		return &StrictError{Warnings: warnings}
	}
	for _, w := range warnings {
		job.Options.Say("warning: " + w.String())
	}
	return nil
}
