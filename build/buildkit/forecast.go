package buildkit

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/emulator"
	"mtool/inspect/platform"
)

// Forecast implements build.Forecaster. With a worker at an address it asks that what it runs.
func (s Solver) Forecast(ctx context.Context, job build.Job) (build.Forecast, error) {
	d, err := readDockerfile(job.Spec)
	if err != nil {
		return build.Forecast{}, err
	}
	c, err := s.muster(ctx, job, d, true)
	if err != nil {
		return build.Forecast{}, err
	}
	return c.forecast(job, d), c.close()
}

// own is BUILDPLATFORM of the worker inside this program.
func own(host emulator.Host) v1.Platform {
	return platform.Normalize(v1.Platform{OS: host.Platform.OS, Architecture: host.Platform.Architecture})
}

func emulates(host emulator.Host) func(v1.Platform) string {
	return func(p v1.Platform) string {
		way, _ := host.Of(p)
		return way.Emulator.Name
	}
}

func (c crew) forecast(job build.Job, d *dockerfile) build.Forecast {
	p := c.plan
	f := build.Forecast{Warnings: d.lint(job.Spec.Platforms, p.needs)}
	for i, target := range job.Spec.Platforms {
		planned := build.Planned{Platform: target}
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
func (p plan) found(i int, b base) build.Base {
	for _, l := range p.bases[i] {
		if l.equal(b) {
			from := "store"
			if l.Ref.IsFile() {
				from = l.Ref.Path
			}
			return build.Base{Name: b.Name, Platform: b.Platform, Digest: l.Digest, From: from}
		}
	}
	found := build.Base{Name: b.Name, Platform: b.Platform, From: "worker"}
	if a, ok := p.remote[b.source()]; ok && a.err == nil {
		found.From = a.ref.Host
		if image, ok := choose(a.images, b.Platform); ok {
			found.Digest = image.Descriptor.Digest
		}
	}
	return found
}

// sayLint tells the warnings, or makes them the error where they are to be one.
func sayLint(job build.Job, warnings []build.Warning) error {
	if len(warnings) > 0 && job.Spec.Strict {
		return &build.StrictError{Warnings: warnings}
	}
	for _, w := range warnings {
		job.Options.Say("warning: " + w.String())
	}
	return nil
}
