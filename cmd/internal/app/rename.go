package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
)

// Rename gives a draft, or else a store image, another name. A name that is taken is an error that wraps
// registry.ErrConflict, unless force says otherwise.
func (e names) Rename(ctx context.Context, from, to registry.Ref, force bool) (publish.Made, error) {
	if from.Name() == to.Name() {
		return publish.Made{}, registry.Usagef("renaming %q: it has that name", from.Name())
	}
	if from.Transport != registry.TransportStore {
		list, err := e.Drafts.Load(ctx, from)
		if err == nil {
			return e.renameDraft(ctx, list, to, force)
		}
		if from.Transport == registry.TransportDraft || !errors.Is(err, registry.ErrNotFound) {
			return publish.Made{}, err
		}
	}
	return e.renameImage(ctx, from.At(registry.TransportStore), to.At(registry.TransportStore), force)
}

func (e names) renameDraft(ctx context.Context, list compose.List, to registry.Ref, force bool) (publish.Made, error) {
	_, err := e.Drafts.Load(ctx, to)
	if err := free(to, err, force); err != nil {
		return publish.Made{}, err
	}
	old := list.Name
	list.Name = to.At(old.Transport)
	root, err := list.Encode()
	if err != nil {
		return publish.Made{}, err
	}
	if err := e.Drafts.Save(ctx, list); err != nil {
		return publish.Made{}, err
	}
	e.note("renamed draft %s to %s", old.Familiar(), to.Familiar())
	return publish.MadeAt(to, root.Digest), e.Drafts.Remove(ctx, old)
}

func (e names) renameImage(ctx context.Context, from, to registry.Ref, force bool) (publish.Made, error) {
	object, err := e.Store.Get(ctx, from)
	if err != nil {
		return publish.Made{}, fmt.Errorf("renaming %q, of which there is no draft: %w", from.Name(), err)
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	there, err := e.Store.Get(ctx, to)
	if err := errors.Join(free(to, err, force), there.Close()); err != nil {
		return publish.Made{}, err
	}
	if err := e.Store.Tag(ctx, to, object.Root); err != nil {
		return publish.Made{}, err
	}
	e.note("renamed store image %s to %s", from.Familiar(), to.Familiar())
	return publish.MadeAt(to, object.Root.Digest), e.Store.Remove(ctx, from)
}

// free reports whether a name may be used: looked is the error of looking for it.
func free(name registry.Ref, looked error, force bool) error {
	switch {
	case force, errors.Is(looked, registry.ErrNotFound):
		return nil
	case looked != nil:
		return looked
	}
	return registry.WithHint(
		fmt.Errorf("renaming to %q: %w: the name is taken", name.Name(), registry.ErrConflict),
		"delete that one with mtool rm, or add --force",
	)
}
