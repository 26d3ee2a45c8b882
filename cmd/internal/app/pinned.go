package app

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

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
