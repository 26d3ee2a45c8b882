package build

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
)

// plan is what is known before anything is started or sent, by platform number.
type plan struct {
	requirements []requirements
	bases        [][]localBase
	remote       map[string]registryAnswer // by the base's source
}

// newPlan reads what each platform needs and finds the bases that the store has.
func newPlan(ctx context.Context, job Job, d *dockerfile, buildMachine v1.Platform) (plan, error) {
	var p plan
	for _, target := range job.Spec.Platforms {
		n, err := d.requirements(inputsOf(job, target, buildMachine))
		if err != nil {
			return p, err
		}
		bases, err := localBases(ctx, job, n.Bases)
		if err != nil {
			return p, fmt.Errorf("building %s: %w", platform.Format(target), err)
		}
		if err := checkSecrets(job.Spec.Secrets, n.Secrets); err != nil {
			return p, err
		}
		p.requirements = append(p.requirements, n)
		p.bases = append(p.bases, bases)
	}
	if err := sayLint(job, d.lint(job.Spec.Platforms, p.requirements)); err != nil {
		return p, err
	}
	var err error
	p.remote, err = askRegistries(ctx, job, p)
	return p, err
}

// runs reports whether any step will run.
func (p plan) runs() bool {
	for _, n := range p.requirements {
		if len(n.Runs) > 0 {
			return true
		}
	}
	return false
}

// found returns where a base of platform number i comes from.
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
