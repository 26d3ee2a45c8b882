package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// Row is a line of Ls.
type Row struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"` // draft, list, image, or corrupt
	Platforms []string `json:"platforms"`
	Digest    string   `json:"digest,omitempty"`
}

// Ls lists drafts and the images of the store, in the order of their names.
func (e names) Ls(ctx context.Context) ([]Row, error) {
	drafts, err := e.Drafts.List(ctx)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, d := range drafts {
		row := Row{Name: d.Ref.Familiar(), Kind: "draft"}
		if d.Err != nil {
			row.Kind = "corrupt"
			e.note("warning: %v", d.Err)
		} else {
			row.Platforms = platformNames(d.List.Platforms())
			if root, err := d.List.Encode(); err == nil {
				row.Digest = root.Digest.String()
			}
		}
		rows = append(rows, row)
	}
	images, err := e.Store.List(ctx)
	if err != nil {
		return rows, err
	}
	for _, image := range images {
		rows = append(rows, e.storeRow(ctx, image.Ref))
	}
	return rows, nil
}

func (e names) storeRow(ctx context.Context, ref registry.Ref) Row {
	row := Row{Name: ref.Familiar(), Kind: "corrupt"}
	object, report, err := e.readOne(ctx, ref.At(registry.TransportStore), source.Options{From: "store"})
	if err != nil {
		e.note("warning: %v", err)
		return row
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	row.Kind, row.Digest = "image", report.Root.Digest.String()
	if report.List != nil {
		row.Kind = "list"
	}
	for _, img := range report.Images {
		row.Platforms = append(row.Platforms, platform.Format(img.Platform()))
	}
	return row
}

// Rm deletes the draft and the store image of each name, or the one that a transport names, and goes on past what is
// missing.
func (e names) Rm(ctx context.Context, refs []registry.Ref) error {
	var errs []error
	for _, ref := range refs {
		errs = append(errs, e.rmOne(ctx, ref))
	}
	return errors.Join(errs...)
}

func (e names) rmOne(ctx context.Context, ref registry.Ref) error {
	if ref.IsFile() {
		return registry.Usagef("removing %q: rm deletes drafts and store images only", ref)
	}
	places := []struct {
		transport registry.Transport
		remove    func(context.Context, registry.Ref) error
	}{{registry.TransportDraft, e.Drafts.Remove}, {registry.TransportStore, e.Store.Remove}}
	var errs []error
	removed := false
	for _, p := range places {
		local := ref.Transport == registry.TransportDraft || ref.Transport == registry.TransportStore
		if local && ref.Transport != p.transport {
			continue
		}
		err := p.remove(ctx, ref.At(p.transport))
		switch {
		case err == nil:
			removed = true
			e.note("removed %s %s", p.transport, ref.Familiar())
		case !errors.Is(err, registry.ErrNotFound):
			errs = append(errs, err)
		}
	}
	if !removed && len(errs) == 0 {
		return fmt.Errorf("removing %q: %w: neither a draft nor a store image", ref.Name(), registry.ErrNotFound)
	}
	return errors.Join(errs...)
}

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
