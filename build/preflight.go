package build

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PreflightResult is what is known about a build before anything runs.
type PreflightResult struct {
	Platforms []PreflightPlatform // in the order of Spec.Platforms
	Missing   []Missing           // optional platforms that can't be built
	Warnings  []Warning           // in the order of their lines
}

// PreflightPlatform is the build of one platform.
type PreflightPlatform struct {
	Platform v1.Platform
	Runs     bool   // there are RUN steps
	Emulator string // for them: QEMU's name of it; "" if all are native
	Bases    []Base // of the stages that will be built, in order
}

// Base is a base image and where it was found.
type Base struct {
	Name     string      // as in the Dockerfile, arguments expanded
	Platform v1.Platform // the required one
	Digest   v1.Hash     // of the image for that platform; zero if only the worker can find it
	From     string      // "store", "draft", or the registry's host
}

// Preflight runs the checks that Run makes before it builds, with the same errors: the Dockerfile can be read, every
// base image exists for its platform, and every RUN step can be executed. Remote workers are asked which platforms
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
	left, errs, err := job.possible(ctx, d)
	if err != nil {
		return PreflightResult{}, err
	}
	p, err := newPool(ctx, left, d, true)
	if err != nil {
		return PreflightResult{}, err
	}
	r := p.preflight(left, d)
	for i, err := range errs {
		if err != nil {
			r.Missing = append(r.Missing, Missing{job.Spec.Platforms[i], err})
		}
	}
	return r, p.close()
}

func (p *pool) preflight(job Job, d *dockerfile) PreflightResult {
	r := PreflightResult{Warnings: d.lint(job.Spec.Platforms, p.plan.requirements)}
	for i, target := range job.Spec.Platforms {
		planned := PreflightPlatform{Platform: target}
		planned.Emulator, planned.Runs = p.of[i].howRun(p.plan.requirements[i])
		for _, b := range p.plan.requirements[i].Bases {
			planned.Bases = append(planned.Bases, p.plan.found(i, b))
		}
		r.Platforms = append(r.Platforms, planned)
	}
	return r
}

// found returns where a base of platform number i comes from.
func (p plan) found(i int, b base) Base {
	for _, l := range p.bases[i] {
		if l.equal(b) {
			from := string(l.Ref.Transport)
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
