package app

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// found is what is under a reference, or why that could not be read.
type found struct {
	query
	object registry.Object
	report inspect.Report
	err    error
	pinned string // what there is to say of a digest of one image
	chosen []int  // the images whose layers matter
}

// find reads what is under a reference.
func (e names) find(ctx context.Context, a query) (f found) {
	f.query = a
	if f.object, f.report, f.err = e.readOne(ctx, a.Ref, lookup(a.from)); f.err != nil {
		f.err = a.Located(f.err)
		return f
	}
	f.pinned = e.pinned(ctx, a, f.report)
	wanted := a.Only()
	served := map[int]bool{}
	for _, p := range wanted {
		for _, i := range f.report.Serve(p, false).Rows {
			served[i] = true
		}
	}
	for i := range f.report.Images {
		if wanted == nil || served[i] {
			f.chosen = append(f.chosen, i)
		}
	}
	return f
}

// maxTags bounds how many tags are looked at for the list that an image is of.
const maxTags = 16

// pinned says that a digest is that of one image, where a list may have been meant: of which list it is, as far as a
// tag of the repository tells. It is "" for every other reference.
func (e names) pinned(ctx context.Context, q query, r inspect.Report) string {
	if q.Ref.Digest == (v1.Hash{}) || r.List != nil || len(r.Images) != 1 {
		return ""
	}
	text := "pinned to the image of one platform"
	if p := r.Images[0].Claim(); !platform.IsUnknown(p) {
		text = "pinned to the image of " + platform.Format(p) + " alone"
	}
	for _, tag := range e.candidates(ctx, q) {
		list, held := e.holds(ctx, q.Ref.WithTag(tag), q.from, q.Ref.Digest)
		switch {
		case held:
			return fmt.Sprintf("%s; the list %s has it, and is %s", text, q.Ref.WithTag(tag).Name(), list)
		case tag == q.Ref.Tag && list != v1.Hash{}:
			text += fmt.Sprintf("; %s is another now: %s", q.Ref.WithTag(tag).Name(), list)
		}
	}
	return text
}

// candidates are the tags whose lists may have the image: the one beside the digest, else those of the repository.
func (e names) candidates(ctx context.Context, q query) []string {
	if q.Ref.Tag != "" {
		return []string{q.Ref.Tag}
	}
	if len(q.Uses) == 0 || q.Ref.Transport != registry.TransportRegistry {
		return nil
	}
	tags, err := e.Client.Repository(q.Ref, remote.Pull).Tags(ctx)
	if err != nil {
		return nil // it is a help, and no more
	}
	return tags[:min(len(tags), maxTags)]
}

// holds tells what list a tag names, and whether that has the image. A tag that can't be read tells nothing: the image
// itself was read by its digest, and the list would only explain where that came from.
func (e names) holds(ctx context.Context, ref registry.Ref, from string, image v1.Hash) (v1.Hash, bool) {
	object, report, err := e.readOne(ctx, ref, lookup(from))
	if err != nil || object.Close() != nil {
		return v1.Hash{}, false
	}
	held := report.List != nil &&
		slices.ContainsFunc(report.Images, func(i inspect.Image) bool { return i.Descriptor.Digest == image })
	return report.Root.Digest, held
}

// toRead is a report of all images whose layers matter, whatever reference they are under, and how each is used.
func toRead(all []found) (r inspect.Report, uses [][]deep.Use) {
	for _, f := range all {
		for _, i := range f.chosen {
			r.Images = append(r.Images, f.report.Images[i])
			uses = append(uses, f.processes())
		}
	}
	return r, uses
}

// compare returns what differs between the images of a list, as far as they were read; if they must be the same, also
// each difference.
func (f found) compare(layers deep.Result, same bool) ([]inspect.Finding, []parity.Difference) {
	if f.report.List == nil {
		return nil, nil
	}
	entries := make([]parity.Entry, len(f.chosen))
	for n, i := range f.chosen {
		entries[n].Image = f.report.Images[i]
		if n < len(layers.Contents) {
			entries[n].Contents = layers.Contents[n]
		}
	}
	findings, differences := parity.Findings(f.report, entries, same)
	if !same {
		differences = nil
	}
	return findings, differences
}
