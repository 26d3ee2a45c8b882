package compose

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/registry"
)

// NewPlan plans publishing l, whose entries must be resolved, to targets: names with a tag, even several in one
// repository, or with the list's digest. If l derives from a published list and its own name is among the targets,
// that tag's Base is set. Docker Engine is a target without an upload, since it takes one image and no list. Errors
// are those of Encode and ErrTarget.
func NewPlan(l List, targets []registry.Ref) (Plan, error) {
	root, err := l.Encode()
	if err != nil {
		return Plan{}, err
	}
	_, note, err := l.MediaType()
	if err != nil {
		return Plan{}, err
	}
	p := planning{name: l.Name, root: root}
	if l.Base.Body != nil {
		p.base = l.Base.Digest
	}
	for _, e := range l.Entries {
		p.addEntry(e)
		for _, a := range e.Attestations {
			p.addEntry(a)
		}
	}
	plan, err := p.plan(targets)
	if note != "" {
		plan.Notes = append(plan.Notes, note)
	}
	plan.list, plan.report, plan.Subjects = &l, l.Report, l.subjects()
	return plan, err
}

// subjects returns the images in their sources. Nothing refers to an image that was changed here.
func (l List) subjects() []Subject {
	var all []Subject
	for _, e := range l.Entries {
		if e.OriginalDigest != (v1.Hash{}) {
			continue
		}
		all = append(all, Subject{e.From(), e.Digest()})
		for _, a := range e.Attestations {
			all = append(all, Subject{e.From(), a.Digest()})
		}
	}
	return all
}

// PlanOf plans publishing a list or image unchanged: every digest stays the same, nested lists included. Unread
// content in the report is an error. See NewPlan for the targets.
func PlanOf(r inspect.Report, targets []registry.Ref) (Plan, error) {
	p := planning{name: r.Ref, root: r.Root}
	p.addReport(r, r.Ref, 0)
	plan, err := p.plan(targets)
	plan.report, plan.Subjects = func() (inspect.Report, error) { return r, nil }, subjectsOf(r)
	return plan, err
}

// PlanImage plans the publishing of one image of a list, as a list of its own can't be: what is attested of it stays
// behind.
func PlanImage(e Entry, name registry.Ref, targets []registry.Ref) (Plan, error) {
	if err := e.unread(); err != nil {
		return Plan{}, fmt.Errorf("planning to publish %q: %w", name, err)
	}
	p := planning{name: name, root: e.Image.Manifest, base: e.OriginalDigest}
	p.addEntry(e)
	plan, err := p.plan(targets)
	r := inspect.Report{Ref: name, Root: e.Image.Manifest, Images: []inspect.Image{*e.Image}}
	plan.report = func() (inspect.Report, error) { return r, nil }
	if e.OriginalDigest == (v1.Hash{}) {
		plan.Subjects = subjectsOf(r)
	}
	return plan, err
}

// subjectsOf returns the root and everything in it.
func subjectsOf(r inspect.Report) []Subject {
	all := []Subject{{r.Ref, r.Root.Digest}}
	for _, img := range r.Images {
		all = append(all, Subject{r.Ref, img.Descriptor.Digest})
		for _, a := range slices.Concat(img.Attestations, img.Artifacts) {
			all = append(all, Subject{r.Ref, a.Descriptor.Digest})
		}
	}
	return all
}
