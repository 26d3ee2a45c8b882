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

// found is what a reference is, or why that can't be read.
type found struct {
	query
	object registry.Object
	report inspect.Report
	err    error
	pinned string // the text of a note about a digest of one image
	chosen []int  // the images that matter
}

// find reads the tree under a reference.
func (e names) find(ctx context.Context, a query) (f found) {
	f.query = a
	if f.object, f.report, f.err = e.readOne(ctx, a.Ref, lookup(a.from)); f.err != nil {
		f.err = a.Located(f.err)
		return f
	}
	f.pinned = e.pinned(ctx, a, f.report)
	only := a.Only()
	served := map[int]bool{}
	for _, p := range only {
		for _, i := range f.report.Serve(p, false).Rows {
			served[i] = true
		}
	}
	for i := range f.report.Images {
		if only == nil || served[i] {
			f.chosen = append(f.chosen, i)
		}
	}
	return f
}

// maxTags is how many tags are searched for the list of an image.
const maxTags = 16

// pinned returns the text of a note if q is a digest of one image, where a list may have been meant. It names the list,
// if a tag of the repository has it.
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

// candidates returns the tags whose lists may have the image: the one in q, else those of the repository.
func (e names) candidates(ctx context.Context, q query) []string {
	if q.Ref.Tag != "" {
		return []string{q.Ref.Tag}
	}
	if len(q.Uses) == 0 || q.Ref.Transport != registry.TransportRegistry {
		return nil
	}
	tags, err := e.Client.Repository(q.Ref, remote.Pull).Tags(ctx)
	if err != nil {
		return nil // the note is only a help
	}
	return tags[:min(len(tags), maxTags)]
}

// holds returns the list of a tag, and whether it has the image. It ignores errors: the image itself was read by its
// digest, and the list is only for a note.
func (e names) holds(ctx context.Context, ref registry.Ref, from string, image v1.Hash) (v1.Hash, bool) {
	object, report, err := e.readOne(ctx, ref, lookup(from))
	if err != nil || object.Close() != nil {
		return v1.Hash{}, false
	}
	held := report.List != nil &&
		slices.ContainsFunc(report.Images, func(i inspect.Image) bool { return i.Descriptor.Digest == image })
	return report.Root.Digest, held
}

// toRead returns a report of the images that matter under all references, and how each is used.
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
		entries[n].Image = &f.report.Images[i]
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
