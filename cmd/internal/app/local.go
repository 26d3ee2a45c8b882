package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/emulator"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// Row is one name in Ls.
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
			row.Platforms = platform.FormatAll(d.List.Platforms())
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

// Rm deletes the draft and the store image of each name, or only the one of its transport. Missing names don't stop it.
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
	stores := []struct {
		transport registry.Transport
		remove    func(context.Context, registry.Ref) error
	}{{registry.TransportDraft, e.Drafts.Remove}, {registry.TransportStore, e.Store.Remove}}
	var errs []error
	removed := false
	for _, p := range stores {
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

// Rename renames a draft, or else a store image. If the new name is taken, the error wraps registry.ErrConflict, unless
// force is set.
func (e names) Rename(ctx context.Context, from, to registry.Ref, force bool) (publish.Made, error) {
	if from.Name() == to.Name() {
		return publish.Made{}, registry.Usagef("renaming %q: the new name is the same", from.Name())
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
		return publish.Made{}, fmt.Errorf("renaming %q, which is no draft: %w", from.Name(), err)
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	taken, err := e.Store.Get(ctx, to)
	if err := errors.Join(free(to, err, force), taken.Close()); err != nil {
		return publish.Made{}, err
	}
	if err := e.Store.Tag(ctx, to, object.Root); err != nil {
		return publish.Made{}, err
	}
	e.note("renamed store image %s to %s", from.Familiar(), to.Familiar())
	return publish.MadeAt(to, object.Root.Digest), e.Store.Remove(ctx, from)
}

// free returns nil if a name may be used. lookup is the error of looking it up.
func free(name registry.Ref, lookup error, force bool) error {
	switch {
	case force, errors.Is(lookup, registry.ErrNotFound):
		return nil
	case lookup != nil:
		return lookup
	}
	return registry.WithHint(
		fmt.Errorf("renaming to %q: %w: the name is taken", name.Name(), registry.ErrConflict),
		"delete it with mtool rm, or add --force",
	)
}

// Emulators returns how this machine runs each architecture; see build.Emulators.
func (e *Env) Emulators(ctx context.Context, test bool) ([]build.Emulation, error) {
	return build.Emulators(ctx, e.emulatorsDir(), test)
}

// InstallEmulators registers emulators with the host's kernel; see build.InstallEmulators.
func (e *Env) InstallEmulators(platforms []v1.Platform) ([]emulator.Registered, error) {
	return build.InstallEmulators(e.emulatorsDir(), platforms)
}

// Workers describes the workers that a build would use. The error joins those of workers that do not answer.
func (e *Env) Workers(ctx context.Context, o build.Execution) ([]build.WorkerInfo, error) {
	workers := build.Workers(ctx, o, e.buildOptions())
	var errs []error
	for _, w := range workers {
		errs = append(errs, w.Err)
	}
	return workers, errors.Join(errs...)
}
