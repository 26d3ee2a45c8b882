package publish

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
)

// begin opens the target of an upload and uploads the content.
func (p *Push) begin(ctx context.Context, u compose.Upload, o Options, along []Referrer) *upload {
	to, finish, err := p.target(u.Repository)
	if err != nil {
		return &upload{Upload: u, err: err}
	}
	w := newUpload(u, to, UploadOptions{
		Note: p.Note, Confirm: o.Confirm, Force: o.Force && !u.Root.IsList(), Existing: p.existing(ctx, u),
	})
	w.finish = finish
	err = w.bring(ctx)
	if err == nil {
		err = p.bring(ctx, along, u.Repository, to)
	}
	if err != nil {
		w.err = finish(err)
	}
	return w
}

// existing returns what the tags of an upload are, as far as they were looked up. A tag that could not be read is
// left out.
func (p *Push) existing(ctx context.Context, u compose.Upload) map[string]v1.Descriptor {
	found := map[string]v1.Descriptor{}
	for ref := range p.tags {
		if ref.SameRepository(u.Repository) {
			if now, err := p.before(ctx, ref); err == nil {
				found[ref.Tag] = now.Descriptor()
			}
		}
	}
	return found
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
