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

// Header is what a registry.Target can do beside when it knows what its tags are, as a *registry.Repository does. Targets
// that are not Headers are written without a look at what they have.
type Header interface {
	// Head answers what a tag is; absent: an error that wraps registry.ErrNotFound.
	Head(ctx context.Context, tag string) (v1.Descriptor, error)
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
// root's digest already nothing is done but asking for them.
//
// Errors wrap the kinds of package registry; ErrMoved when a tag is not at its Base right before it is written (no
// registry can close the gap that remains), ErrOverwrite when a tag is a list and the root is not.
func (u Upload) Publish(ctx context.Context, t registry.Target, o PublishOptions) (Result, error) {
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	p := publishing{Upload: u, target: t, options: o, result: Result{Digest: u.Root.Digest}}
	if err := p.run(ctx); err != nil {
		return p.result, fmt.Errorf("publishing %q: %w", u.Ref(), err)
	}
	return p.result, nil
}

type publishing struct {
	Upload
	target  registry.Target
	options PublishOptions
	mu      sync.Mutex // guards result while blobs are on their way
	result  Result
	refused int // mounts
}

func (p *publishing) run(ctx context.Context) error {
	existing, err := p.state(ctx)
	if err != nil {
		return err
	}
	tags := slices.Clone(p.Tags)
	if !p.options.Force {
		if err := p.guardLists(existing); err != nil {
			return err
		}
		tags = slices.DeleteFunc(tags, func(t Tag) bool { return existing[t.Name].Digest == p.Root.Digest })
		if len(p.Tags) > 0 && len(tags) == 0 {
			return nil
		}
	}
	// A tag that has the digest vouches for everything below it.
	if len(tags) == len(p.Tags) {
		if err := p.content(ctx); err != nil {
			return err
		}
	}
	p.result.Changed = true
	return p.tags(ctx, tags)
}

// state asks for the tags whose state is not known.
func (p *publishing) state(ctx context.Context) (map[string]v1.Descriptor, error) {
	found := make([]v1.Descriptor, len(p.Tags))
	h, ok := p.target.(Header)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.options.Concurrency)
	for i, t := range p.Tags {
		known, asked := p.options.Existing[t.Name]
		if found[i] = known; asked || !ok {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = head(ctx, h, t.Name)
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

// head is Head with a zero descriptor for a tag that is not there.
func head(ctx context.Context, h Header, tag string) (v1.Descriptor, error) {
	d, err := h.Head(ctx, tag)
	if errors.Is(err, registry.ErrNotFound) {
		return v1.Descriptor{}, nil
	}
	return d, err
}

func (p *publishing) guardLists(existing map[string]v1.Descriptor) error {
	if p.Root.IsList() {
		return nil
	}
	for _, t := range p.Tags {
		if d := existing[t.Name]; d.MediaType.IsIndex() {
			return hint(fmt.Errorf("%w: %q is the list %s, and this is a single image", ErrOverwrite,
				p.Repository.WithTag(t.Name), d.Digest), "push it under another tag, or use --force")
		}
	}
	return nil
}

// tags writes them one by one: some registries refuse one manifest put twice at the same time.
// https://github.com/GoogleContainerTools/jib/issues/2470
func (p *publishing) tags(ctx context.Context, tags []Tag) error {
	if len(p.Tags) == 0 {
		return p.target.PutManifest(ctx, p.Root)
	}
	for _, t := range tags {
		if err := p.guardBase(ctx, t); err != nil {
			return err
		}
		if err := p.target.PutTag(ctx, t.Name, p.Root); err != nil {
			return fmt.Errorf("writing tag %q: %w", t.Name, err)
		}
		p.result.Tags = append(p.result.Tags, t.Name)
		if err := p.confirmTag(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// guardBase asks once more for a tag that the list derives from.
func (p *publishing) guardBase(ctx context.Context, t Tag) error {
	h, ok := p.target.(Header)
	if t.Base == (v1.Hash{}) || !ok {
		return nil
	}
	now, err := head(ctx, h, t.Name)
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
	return hint(err, "someone else has changed it: look at what it is now, and repeat the edit")
}
