package docker

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
)

// Lists are the drafts of an environment.
type Lists struct{ *app.Env }

// Create makes a draft, or with amend adds to an existing one. Sources are looked up in the store and in registries,
// one-word names too. A new draft may have two images of one platform: Annotate tells them apart.
func (l Lists) Create(ctx context.Context, list registry.Ref, args []string, amend bool) error {
	refs, overrides, err := l.DockerSources(ctx, list, args)
	if err != nil {
		return err
	}
	_, err = l.Drafts.Load(ctx, list)
	switch {
	case err == nil && !amend:
		return registry.WithHint(
			fmt.Errorf("creating %q: %w: refusing to amend an existing manifest list with no --amend flag", list,
				registry.ErrConflict),
			"mtool manifest create --amend LIST MANIFEST…, or start over after mtool manifest rm LIST",
		)
	case err == nil:
		return l.amend(ctx, app.AmendOptions{List: list, Sources: refs, Overrides: overrides})
	case !errors.Is(err, registry.ErrNotFound):
		return err
	}
	o := app.CreateOptions{List: list, Sources: refs, Overrides: overrides}
	_, err = l.Env.Create(ctx, o)
	if !errors.Is(err, compose.ErrDuplicate) {
		return err
	}
	o.OnDuplicate, o.Force = string(compose.DuplicateKeep), true
	_, err = l.Env.Create(ctx, o) // notes what it takes
	return err
}

// amend adds to a draft. Two of the sources may have one platform, as in Create. An image that the draft has already
// gets the platform that its config names again.
func (l Lists) amend(ctx context.Context, o app.AmendOptions) error {
	_, err := l.Amend(ctx, o)
	if !errors.Is(err, compose.ErrDuplicate) {
		return err
	}
	o.OnDuplicate, o.Force = string(compose.DuplicateKeep), true
	if _, err = l.Amend(ctx, o); err != nil {
		return err
	}
	_, err = l.Drafts.Update(ctx, o.List, func(list compose.List) (compose.List, error) {
		last := map[v1.Hash]int{}
		for n, e := range list.Entries {
			last[e.Digest()] = n
		}
		var entries []compose.Entry
		for n, e := range list.Entries {
			if last[e.Digest()] == n {
				entries = append(entries, e)
			}
		}
		list.Entries = entries
		return list, nil
	})
	return err
}

// Annotate changes what a draft says of one image, even to what the image's config denies. An unknown platform is
// refused, as by docker.
func (l Lists) Annotate(ctx context.Context, o app.AnnotateOptions) error {
	_, err := l.Env.Annotate(ctx, o)
	if errors.Is(err, compose.ErrPlatform) {
		o.Edit.Force = true
		_, err = l.Env.Annotate(ctx, o)
	}
	if err != nil {
		return err
	}
	return l.sayDoubts(ctx, o.List)
}

// Push publishes a draft. What a config denies is noted, and pushed; a platform that two images have is an error.
func (l Lists) Push(ctx context.Context, o app.PushOptions) (publish.Done, error) {
	list, err := l.Drafts.Load(ctx, o.List)
	if err == nil {
		err = list.Distinct()
	}
	if err != nil && !errors.Is(err, registry.ErrNotFound) { // without a draft, the store's image is pushed
		return publish.Done{}, registry.WithHint(err, "mtool manifest annotate one of them")
	}
	o.Doubtful = true
	return l.Env.Push(ctx, o)
}

func (l Lists) sayDoubts(ctx context.Context, name registry.Ref) error {
	list, err := l.Drafts.Load(ctx, name)
	if err == nil {
		l.SayDoubts(list)
	}
	return err
}
