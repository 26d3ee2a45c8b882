package app

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/platform"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/remote"
)

// place is where the reference is named first.
func (a query) where() workload.Place {
	if len(a.uses) == 0 {
		return workload.Place{}
	}
	return a.uses[0].Place
}

// processes are what the places start of the image.
func (a query) processes() (all []deep.Use) {
	for _, u := range a.uses {
		all = append(all, deep.Use(u.Process))
	}
	return all
}

// located says where in a file the reference stands that could not be read.
func (a query) located(err error) error {
	if len(a.uses) == 0 {
		return err
	}
	return fmt.Errorf("%s: %s: %w", a.where(), a.where().What, err)
}

func (a query) platforms() (all []v1.Platform) {
	for _, n := range a.wanted {
		all = append(all, n.platform)
	}
	return all
}

// claims checks what the entries claim, and whether every platform is there that somebody needs.
func (f found) claims(o InspectOptions) []inspect.Finding {
	findings := inspect.Check(f.report, inspect.CheckOptions{})
	artifact := len(f.report.Images) == 0 && len(f.report.Others) > 0 // an image volume may hold just data
	for _, n := range f.wanted {
		for _, missing := range inspect.Missing(f.report, inspect.CheckOptions{Require: []v1.Platform{n.platform}, Exact: o.Exact}) {
			if len(n.uses) == 0 {
				findings = append(findings, missing)
			}
			for _, u := range n.uses {
				if artifact {
					continue
				}
				m := missing
				m.File, m.Line, m.Message = u.File, u.Line, m.Message+"; needed by "+u.What
				findings = append(findings, m)
			}
		}
	}
	if o.Exact {
		findings = append(findings, inspect.Surplus(f.report, slices.Concat(o.Require, f.platforms()))...)
	}
	for _, n := range f.notes {
		findings = append(findings, f.remark(n))
	}
	return findings
}

// remark is a note of ours as a finding.
func (f found) remark(n located) inspect.Finding {
	if n.at.What != "" {
		n.text = n.at.What + ": " + n.text
	}
	return inspect.Finding{Digest: f.report.Root.Digest, Message: n.text, File: n.at.File, Line: n.at.Line}.Note(n.rule).Printable()
}

// locate gives every finding the place where the image is named first, unless it has one.
func (a query) locate(findings []inspect.Finding) []inspect.Finding {
	for i, f := range findings {
		if f.File == "" {
			findings[i].File, findings[i].Line = a.where().File, a.where().Line
		}
	}
	return findings
}

// told are the findings as people read them: with the place in front, and the image.
func (a query) told(findings []inspect.Finding) []inspect.Finding {
	if len(a.uses) == 0 {
		return findings
	}
	for i, f := range findings {
		at := workload.Place{File: f.File, Line: f.Line}
		findings[i].Message = fmt.Sprintf("%s: %s: %s", at, a.ref.Name(), f.Message)
	}
	return findings
}

// maxTags bounds how many tags are looked at for the list that an image is of.
const maxTags = 16

// pinned says that a digest is that of one image, where a list may have been meant: of which list it is, as far as a tag of
// the repository tells. It is "" for every other reference.
func (e names) pinned(ctx context.Context, a query, r inspect.Report) string {
	if a.ref.Digest == (v1.Hash{}) || r.List != nil || len(r.Images) != 1 {
		return ""
	}
	text := "pinned to the image of one platform"
	if p := r.Images[0].Claim(); !platform.IsUnknown(p) {
		text = "pinned to the image of " + platform.Format(p) + " alone"
	}
	for _, tag := range e.candidates(ctx, a) {
		list, held := e.holds(ctx, a.ref.WithTag(tag), a.from, a.ref.Digest)
		switch {
		case held:
			return fmt.Sprintf("%s; the list %s has it, and is %s", text, a.ref.WithTag(tag).Name(), list)
		case tag == a.ref.Tag && list != v1.Hash{}:
			text += fmt.Sprintf("; %s is another now: %s", a.ref.WithTag(tag).Name(), list)
		}
	}
	return text
}

// candidates are the tags whose lists may have the image: the one beside the digest, else those of the repository.
func (e names) candidates(ctx context.Context, a query) []string {
	if a.ref.Tag != "" {
		return []string{a.ref.Tag}
	}
	if len(a.uses) == 0 || a.ref.Transport != registry.TransportRegistry {
		return nil
	}
	tags, err := e.Client.Repository(a.ref, remote.Pull).Tags(ctx)
	if err != nil {
		return nil // it is a help, and no more
	}
	return tags[:min(len(tags), maxTags)]
}

// holds tells what list a tag names, and whether that has the image. A tag that can't be read tells nothing: the image itself was
// read by its digest, and the list would only explain where that came from.
func (e names) holds(ctx context.Context, ref registry.Ref, from string, image v1.Hash) (v1.Hash, bool) {
	object, report, err := e.readOne(ctx, ref, lookup(from))
	if err != nil || object.Close() != nil {
		return v1.Hash{}, false
	}
	held := report.List != nil && slices.ContainsFunc(report.Images, func(i inspect.Image) bool { return i.Descriptor.Digest == image })
	return report.Root.Digest, held
}
