package publish

import (
	"context"
	"fmt"
	"slices"

	"mtool/compose"
	"mtool/registry"
)

// Upload carries out u bottom-up: all blobs at once, then the children level by level, then the root under each tag.
// A failure cancels the rest, and no tag is written. If all tags have the root's digest already, nothing is uploaded.
//
// Errors wrap the kinds of package registry; compose.ErrMoved if a tag is not at its Base right before it is written
// (a small gap remains), ErrOverwrite if a tag is a list and the root is not, ErrTaken if a tag that must not move
// has other content.
func Upload(ctx context.Context, u compose.Upload, to registry.Target, o UploadOptions) (Result, error) {
	w := newUpload(u, to, o)
	if err := w.uploadContent(ctx); err != nil {
		return w.result, err
	}
	return w.result, w.tag(ctx)
}

// uploadContent is the first step: it uploads everything below the root.
func (w *upload) uploadContent(ctx context.Context) error {
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("publishing %q: %w", w.Ref(), err)
	}
	return nil
}

// tag is the second step: it writes the tags or, without tags, the root by digest.
func (w *upload) tag(ctx context.Context) error {
	if w.unchanged() {
		return nil
	}
	w.result.Changed = true
	if err := w.tags(ctx); err != nil {
		return fmt.Errorf("publishing %q: %w", w.Ref(), err)
	}
	return nil
}

func (w *upload) prepare(ctx context.Context) error {
	existing, err := w.state(ctx)
	if err != nil {
		return err
	}
	w.existing, w.todo = existing, slices.Clone(w.Tags)
	if err := w.guardFixed(existing); err != nil {
		return err
	}
	if !w.options.Force {
		if err := w.guardLists(existing); err != nil {
			return err
		}
		w.todo = slices.DeleteFunc(w.todo, func(t compose.Tag) bool { return existing[t.Name].Digest == w.Root.Digest })
	}
	// A tag that has the digest vouches for everything below it.
	if len(w.todo) == len(w.Tags) {
		if err := w.content(ctx); err != nil {
			return err
		}
	}
	return w.childTags(ctx)
}

// end writes the tags, unless something went wrong before.
func (w *upload) end(ctx context.Context) {
	if w.err == nil {
		w.err = w.finish(w.tag(ctx))
	}
}

// report records the outcome of a target if this upload wrote it.
func (w *upload) report(out *Outcome) {
	if out.State == Failed || !out.Target.SameRepository(w.Repository) {
		return
	}
	tagged := slices.Contains(w.result.Tags, out.Target.Tag)
	switch {
	// a later tag failed; a file is finished as a whole
	case w.err != nil && tagged && out.Target.Transport == registry.TransportRegistry:
	case w.err != nil:
		out.State, out.Err = Failed, w.err
	case !w.result.Changed || len(w.Tags) > 0 && !tagged:
		out.State = Unchanged
	}
}

// summary returns a line for people.
func (w *upload) summary() string {
	name := w.Ref().String()
	for i, t := range w.Tags {
		if i == 0 {
			name = w.Repository.WithTag(t.Name).String()
		} else {
			name += ", " + t.Name
		}
	}
	if !w.result.Changed {
		return "unchanged " + name
	}
	return "wrote " + name + ": " + w.result.String()
}
