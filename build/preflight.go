package build

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// PreflightResult is what is known of a build before anything runs.
type PreflightResult struct {
	Platforms []PreflightPlatform // in the order of Spec.Platforms
	Warnings  []Warning           // in the order of their lines
}

// PreflightPlatform is the build of one platform.
type PreflightPlatform struct {
	Platform v1.Platform
	Emulator string // what RUN steps of this platform need: "" when native or when there is none, else QEMU's name of it
	Bases    []Base // of the stages that will be built, in their order
}

// Base is a base image as it was found.
type Base struct {
	Name     string      // as in the Dockerfile, arguments expanded
	Platform v1.Platform // that is needed of it
	Digest   v1.Hash     // of the image for that platform; zero when only the worker can find it
	From     string      // "store", or the host that was asked
}

// Preflight checks what Run would check before anything is built, with the same errors: that the Dockerfile can be read, that
// every base image is there for its platform, and that every RUN step can be executed. Workers at an address are asked what
// they run. Nothing is built or stored.
func Preflight(ctx context.Context, spec Spec, o Options) (PreflightResult, error) {
	spec, err := prepareSpec(spec)
	if err != nil {
		return PreflightResult{}, err
	}
	job := Job{Spec: spec, Options: o}
	d, err := readDockerfile(spec)
	if err != nil {
		return PreflightResult{}, err
	}
	p, err := newPool(ctx, job, d, true)
	if err != nil {
		return PreflightResult{}, err
	}
	return p.preflight(job, d), p.close()
}

func (p *pool) preflight(job Job, d *dockerfile) PreflightResult {
	r := PreflightResult{Warnings: d.lint(job.Spec.Platforms, p.plan.requirements)}
	for i, target := range job.Spec.Platforms {
		planned := PreflightPlatform{Platform: target}
		for _, run := range p.plan.requirements[i].Runs {
			if platform.Equal(run, target) {
				planned.Emulator = p.of[i].emulator(run)
			}
		}
		for _, b := range p.plan.requirements[i].Bases {
			planned.Bases = append(planned.Bases, p.plan.found(i, b))
		}
		r.Platforms = append(r.Platforms, planned)
	}
	return r
}
