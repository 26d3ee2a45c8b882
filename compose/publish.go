package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/registry"
)

// Tagger is what a registry.Target can do besides when it knows what its tags are, as a *remote.Repository does. Targets
// that are not Taggers are written without a look at what they have.
type Tagger interface {
	// Tag returns what a tag is; absent: an error that wraps registry.ErrNotFound. What is damaged is returned beside an error
	// that wraps registry.ErrContent.
	Tag(ctx context.Context, tag string) (registry.Manifest, error)
	// PutTagIf is PutTag where the tag is still what was says, and zero is no such tag. Otherwise the error wraps
	// registry.ErrConflict, if the target can tell.
	PutTagIf(ctx context.Context, tag string, m registry.Manifest, was v1.Hash) error
}

// PublishOptions tune Publish; the zero value is right.
type PublishOptions struct {
	// Concurrency limits the requests of one round; default 64.
	Concurrency int
	// Note is told what a user should know, one line each; nil is nobody. It is not called concurrently.
	Note func(string)
	// Confirm reads the root's children back before a tag is written, and the tags after.
	Confirm bool
	// Force overwrites a list by a single image, and uploads again what is said to be there.
	Force bool
	// Existing is what the tags are, where the caller has asked already: a zero descriptor is a tag that is not there. Tags
	// it does not name are asked for.
	Existing map[string]v1.Descriptor
}

// Result is what Publish did, as far as it came: with an error it says what was done before.
type Result struct {
	Digest v1.Hash
	// Changed is false when every tag had the digest already.
	Changed bool
	// Tags that were written.
	Tags []string
	// Blobs by the way they came to be there.
	Present, Mounted, Copied int
	// Bytes of blobs that were sent.
	Bytes int64
}

// Publish does what u says, bottom-up: all blobs at once, then the children level by level, and the root under each tag
// when everything below it is there. A fault cancels what is on its way, and no tag is written. Where all tags have the
// root's digest already nothing is done but asking for them. It is Begin, Content and Tag in one call.
//
// Errors wrap the kinds of package registry; ErrMoved when a tag is not at its Base right before it is written (no
// registry can close the gap that remains), ErrOverwrite when a tag is a list and the root is not, ErrTaken when a tag
// that must not move has something else.
func (u Upload) Publish(ctx context.Context, t registry.Target, o PublishOptions) (Result, error) {
	p := u.Begin(t, o)
	if err := p.Content(ctx); err != nil {
		return p.result, err
	}
	return p.Tag(ctx)
}

// Publishing is an Upload under way, in two steps, so that several uploads can have their content everywhere before any of
// them writes a tag.
type Publishing struct {
	Upload
	target  registry.Target
	options PublishOptions
	mu      sync.Mutex // guards result while blobs are on their way
	result  Result
	refused int   // mounts
	todo    []Tag // those that have to be written

	existing map[string]v1.Descriptor // what the tags were when the guards looked
}

// Begin makes no request.
func (u Upload) Begin(t registry.Target, o PublishOptions) *Publishing {
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return &Publishing{Upload: u, target: t, options: o, result: Result{Digest: u.Root.Digest}}
}

// Content brings everything below the root. It is the first step; its errors are those of Publish.
func (p *Publishing) Content(ctx context.Context) error {
	if err := p.prepare(ctx); err != nil {
		return fmt.Errorf("publishing %q: %w", p.Ref(), err)
	}
	return nil
}

// Tag writes the tags, or the root by its digest where there are none. It is the second step, after Content.
func (p *Publishing) Tag(ctx context.Context) (Result, error) {
	if p.unchanged() {
		return p.result, nil
	}
	p.result.Changed = true
	if err := p.tags(ctx, p.todo); err != nil {
		return p.result, fmt.Errorf("publishing %q: %w", p.Ref(), err)
	}
	return p.result, nil
}

// unchanged reports whether every tag has the root already.
func (p *Publishing) unchanged() bool { return len(p.Tags) > 0 && len(p.todo) == 0 }

func (p *Publishing) prepare(ctx context.Context) error {
	existing, err := p.state(ctx)
	if err != nil {
		return err
	}
	p.existing, p.todo = existing, slices.Clone(p.Tags)
	if err := p.guardFixed(existing); err != nil {
		return err
	}
	if !p.options.Force {
		if err := p.guardLists(existing); err != nil {
			return err
		}
		p.todo = slices.DeleteFunc(p.todo, func(t Tag) bool { return existing[t.Name].Digest == p.Root.Digest })
	}
	// A tag that has the digest vouches for everything below it.
	if len(p.todo) == len(p.Tags) {
		if err := p.content(ctx); err != nil {
			return err
		}
	}
	return p.childTags(ctx)
}

// guardFixed keeps tags that must not move where they are.
func (p *Publishing) guardFixed(existing map[string]v1.Descriptor) error {
	for _, t := range p.Tags {
		d := existing[t.Name]
		if t.Fixed && d.Digest != (v1.Hash{}) && d.Digest != p.Root.Digest {
			return registry.WithHint(fmt.Errorf("%w: %q is %s, and this is %s", ErrTaken, p.Repository.WithTag(t.Name), d.Digest, p.Root.Digest),
				"push it under another tag, or leave out --no-clobber")
		}
	}
	return nil
}

// childTags names the children. A tag that has another child's digest is moved: it belongs to the list.
func (p *Publishing) childTags(ctx context.Context) error {
	tagger, ok := p.target.(Tagger)
	return p.each(ctx, len(p.ChildTags), func(ctx context.Context, i int) error {
		t := p.ChildTags[i]
		if ok {
			if now, err := look(ctx, tagger, t.Name); err != nil || now.Digest == t.Manifest.Digest {
				return err
			}
		}
		if err := p.target.PutTag(ctx, t.Name, t.Manifest); err != nil {
			return fmt.Errorf("writing tag %q of %s: %w", t.Name, t.Manifest.Digest, err)
		}
		return nil
	})
}

// state asks for the tags whose state is not known.
func (p *Publishing) state(ctx context.Context) (map[string]v1.Descriptor, error) {
	found := make([]v1.Descriptor, len(p.Tags))
	tagger, ok := p.target.(Tagger)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.options.Concurrency)
	for i, t := range p.Tags {
		known, asked := p.options.Existing[t.Name]
		if found[i] = known; asked || !ok {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = look(ctx, tagger, t.Name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	existing := map[string]v1.Descriptor{}
	for i, t := range p.Tags {
		existing[t.Name] = found[i]
	}
	return existing, nil
}

// look is Tag with a zero descriptor for a tag that is not there. What is damaged may be written over.
func look(ctx context.Context, t Tagger, tag string) (v1.Descriptor, error) {
	m, err := t.Tag(ctx, tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return v1.Descriptor{}, nil
	case err != nil && !errors.Is(err, registry.ErrContent):
		return v1.Descriptor{}, err
	}
	return m.Descriptor(), nil
}

func (p *Publishing) guardLists(existing map[string]v1.Descriptor) error {
	if p.Root.IsList() {
		return nil
	}
	for _, t := range p.Tags {
		if d := existing[t.Name]; d.MediaType.IsIndex() {
			return registry.WithHint(fmt.Errorf("%w: %q is the list %s, and this is a single image", ErrOverwrite,
				p.Repository.WithTag(t.Name), d.Digest), "push it under another tag, or use --force")
		}
	}
	return nil
}

// tags writes them one by one: some registries refuse one manifest put twice at the same time.
// https://github.com/GoogleContainerTools/jib/issues/2470
func (p *Publishing) tags(ctx context.Context, tags []Tag) error {
	if len(p.Tags) == 0 {
		return p.target.PutManifest(ctx, p.Root)
	}
	for _, t := range tags {
		if err := p.guardBase(ctx, t); err != nil {
			return err
		}
		if err := p.putTag(ctx, t); err != nil {
			return fmt.Errorf("writing tag %q: %w", t.Name, err)
		}
		if err := p.confirmTag(ctx, t); err != nil {
			return err
		}
		p.result.Tags = append(p.result.Tags, t.Name)
	}
	return nil
}

// putTag writes a tag on the condition that it is what the guards have seen: registries that honour conditions close the gap
// between their look and the write. A tag that was not there matters only where it must not be moved.
func (p *Publishing) putTag(ctx context.Context, t Tag) error {
	tagger, ok := p.target.(Tagger)
	was := t.Base
	if was == (v1.Hash{}) {
		was = p.existing[t.Name].Digest
	}
	if !ok || p.options.Force || was == (v1.Hash{}) && !t.Fixed {
		return p.target.PutTag(ctx, t.Name, p.Root)
	}
	return tagger.PutTagIf(ctx, t.Name, p.Root, was)
}

// guardBase asks once more for a tag that the list derives from.
func (p *Publishing) guardBase(ctx context.Context, t Tag) error {
	tagger, ok := p.target.(Tagger)
	if t.Base == (v1.Hash{}) || !ok {
		return nil
	}
	now, err := look(ctx, tagger, t.Name)
	if err != nil {
		return err
	}
	switch now.Digest {
	case t.Base:
		return nil
	case v1.Hash{}:
		err = fmt.Errorf("%w: tag %q was %s and is gone", ErrMoved, t.Name, t.Base)
	default:
		err = fmt.Errorf("%w: tag %q was %s and is %s now", ErrMoved, t.Name, t.Base, now.Digest)
	}
	return registry.WithHint(err, "someone else has changed it: look at what it is now, and repeat the edit")
}
