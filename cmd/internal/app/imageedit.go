package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/source"
)

// ImageOptions are which images are changed, and where the result goes.
type ImageOptions struct {
	PublishOptions
	Name      registry.Ref
	To        registry.Ref // zero replaces the original
	Published bool         // the images in the registry, not those on this machine
	Force     bool
}

// SetOptions are the options of Set.
type SetOptions struct {
	ImageOptions
	Entry string // platform, digest or source; "" means every image
	Edit  compose.ConfigEdit
}

// Set changes the configs of images: all those of a list, or one. The list may be a draft, or in the local store, in a
// layout or in a registry.
func (e *Env) Set(ctx context.Context, o SetOptions) (publish.Done, error) {
	if err := o.Edit.Check(); err != nil {
		return publish.Done{}, fmt.Errorf("changing %q: %w", o.Name, err)
	}
	change := func(l compose.List) (compose.List, []compose.Change, error) {
		return l.SetConfigs(o.Entry, compose.Edit{Config: &o.Edit, Force: o.Force})
	}
	if !o.Published && o.To == (registry.Ref{}) {
		edit := editing{content: true, force: o.Force, PublishOptions: o.PublishOptions}
		done, err := e.editDraft(ctx, o.Name, edit, change)
		if !errors.Is(err, registry.ErrNotFound) || o.Name.Transport == registry.TransportDraft {
			return done, err
		}
	}
	return e.editImages(ctx, o.ImageOptions, change)
}

// editDraft edits a draft. If there is none, it returns registry.ErrNotFound without a hint.
func (e *Env) editDraft(ctx context.Context, name registry.Ref, o editing, change change) (publish.Done, error) {
	if name.IsFile() || name.Transport == registry.TransportStore {
		return publish.Done{}, registry.ErrNotFound
	}
	if _, err := e.Drafts.Load(ctx, name); err != nil {
		return publish.Done{}, err
	}
	return e.edit(ctx, name, o, change)
}

// openForEdit reads what is to be changed: from the registry if Published, else from the store or a layout.
func (e *Env) openForEdit(ctx context.Context, o ImageOptions) (registry.Object, inspect.Report, error) {
	if o.Published {
		name := o.Name.At(registry.TransportRegistry)
		e.Client.Repository(name, remote.PullPush) // one token for reading and writing
		return e.readOne(ctx, name, source.Options{Order: source.RegistryFirst, From: "registry"})
	}
	object, report, err := e.readOne(ctx, o.Name, source.Options{Order: source.LocalFirst, From: onlyStore(o.Name)})
	if errors.Is(err, registry.ErrNotFound) && !o.Name.IsFile() {
		err = registry.WithHint(err, "to change the image in its registry, add --published")
	}
	return object, report, err
}

// editImages changes images in the store, in a layout or in a registry.
func (e *Env) editImages(ctx context.Context, o ImageOptions, change change) (publish.Done, error) {
	object, report, err := e.openForEdit(ctx, o)
	if err != nil {
		return publish.Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	target, err := o.target(object.Ref)
	if err != nil {
		return publish.Done{}, err
	}
	list, err := e.listOf(report)
	if err != nil {
		return publish.Done{}, err
	}
	inPlace := o.To == (registry.Ref{})
	if inPlace {
		list.Name = target
	}
	list, changes, err := change(list)
	if err != nil {
		return publish.Done{}, err
	}
	e.sayChanges(changes)
	push := e.publisher(o.Compression).Start(ctx, []registry.Ref{target})
	defer push.Close()
	if inPlace && target.Transport == registry.TransportRegistry {
		push.Seen(target, object.Root)
	}
	p := pushing{PublishOptions: o.PublishOptions, force: o.Force || inPlace}
	if report.List == nil {
		plan, err := compose.PlanImage(list.Entries[0], list.Name, o.targets([]registry.Ref{target}))
		if err != nil {
			return publish.Done{}, err
		}
		return e.publish(ctx, push, plan, p)
	}
	if err := e.check(list, inspect.CheckOptions{KeepRows: true}, o.Force); err != nil {
		return publish.Done{}, err
	}
	return e.publishList(ctx, push, list, []registry.Ref{target}, p)
}

// target returns where the result goes: To, or where the image was found.
func (o ImageOptions) target(found registry.Ref) (registry.Ref, error) {
	switch {
	case o.To != (registry.Ref{}) && o.Published && o.To.Bare:
		return o.To, registry.Usagef("changing %q: %q has no registry", o.Name, o.To)
	case o.To != (registry.Ref{}) && (o.Published || o.To.IsFile()):
		to, err := inRegistries(o.To)
		return to[0], err
	case o.To != (registry.Ref{}) && o.To.Transport == registry.TransportRegistry:
		return o.To.At(registry.TransportStore), nil
	case o.To != (registry.Ref{}):
		return o.To, nil
	case found.Transport == registry.TransportRegistry, found.Transport == registry.TransportStore,
		found.Transport == registry.TransportLayout:
		found.Digest = v1.Hash{}
		if found.Tag == "" && found.Transport != registry.TransportLayout {
			return found, registry.WithHint(registry.Usagef("changing %q: the changed image has another digest", o.Name),
				"give the result a name: -t NAME")
		}
		return found, nil
	}
	return found, registry.WithHint(registry.Usagef("changing %q: it can't be changed in place", o.Name),
		"give the result a name: -t NAME")
}

// listOf returns the list that was read, or one of the single image.
func (e notes) listOf(report inspect.Report) (compose.List, error) {
	if report.List != nil {
		list, changes, err := compose.FromPublished(report)
		e.sayAll(changes)
		return list, err
	}
	entries, changes, err := compose.FromReport(report, compose.SelectOptions{Force: true})
	e.sayAll(changes)
	return compose.List{Name: report.Ref, Entries: entries}, err
}

// Entries returns the entries of a list that is to be changed: those of the draft, else of the image in the local
// store; or those of the published list.
func (e names) Entries(ctx context.Context, list registry.Ref, published bool) ([]compose.Entry, error) {
	from, order := onlyStore(list), source.LocalFirst
	if published {
		list, from, order = list.At(registry.TransportRegistry), "registry", source.RegistryFirst
	} else if l, err := e.Drafts.Load(ctx, list); !errors.Is(err, registry.ErrNotFound) {
		return l.Entries, err
	}
	object, report, err := e.readOne(ctx, list, source.Options{Order: order, From: from})
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	l, err := e.listOf(report)
	return l.Entries, err
}
