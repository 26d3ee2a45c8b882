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

// ImageOptions say which images are changed, and where the result goes.
type ImageOptions struct {
	PublishOptions
	Name      registry.Ref
	To        registry.Ref // zero: it takes the place of what was changed
	Published bool         // what is in the registry, not on this machine
	Force     bool
}

// SetOptions say what changes in the configs of images.
type SetOptions struct {
	ImageOptions
	Entry string // platform, digest or source; "" is every image
	Edit  compose.ConfigEdit
}

// Set changes the config of every image of a list, or of one: in a draft, in the local store, in a layout or in a
// registry.
func (e *Env) Set(ctx context.Context, o SetOptions) (publish.Done, error) {
	if err := o.Edit.Check(); err != nil {
		return publish.Done{}, fmt.Errorf("changing %q: %w", o.Name, err)
	}
	change := func(l compose.List) (compose.List, []compose.Change, error) {
		return l.SetConfigs(o.Entry, compose.Edit{Config: &o.Edit, Force: o.Force})
	}
	if !o.Published && o.To == (registry.Ref{}) {
		how := editing{content: true, force: o.Force, PublishOptions: o.PublishOptions}
		done, err := e.editDraft(ctx, o.Name, how, change)
		if !errors.Is(err, registry.ErrNotFound) || o.Name.Transport == registry.TransportDraft {
			return done, err
		}
	}
	return e.editImages(ctx, o.ImageOptions, change)
}

// editDraft edits a draft; one that is not there is registry.ErrNotFound without a hint.
func (e *Env) editDraft(ctx context.Context, name registry.Ref, how editing, edit change) (publish.Done, error) {
	if name.IsFile() || name.Transport == registry.TransportStore {
		return publish.Done{}, registry.ErrNotFound
	}
	if _, err := e.Drafts.Load(ctx, name); err != nil {
		return publish.Done{}, err
	}
	return e.edit(ctx, name, how, edit)
}

// editImages changes the images of what lies in the store, in a layout or in a registry.
func (e *Env) editImages(ctx context.Context, o ImageOptions, edit change) (publish.Done, error) {
	from, order := onlyStore(o.Name), source.LocalFirst
	if o.Published {
		o.Name, from, order = o.Name.At(registry.TransportRegistry), "registry", source.RegistryFirst
		e.Client.Repository(o.Name, remote.PullPush) // one token for reading and writing
	}
	object, report, err := e.readOne(ctx, o.Name, source.Options{Order: order, From: from})
	if err != nil {
		return publish.Done{}, e.elsewhere(o, err)
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
	list, changes, err := edit(list)
	if err != nil {
		return publish.Done{}, err
	}
	e.sayChanges(changes)
	push := e.publisher().Start(ctx, []registry.Ref{target})
	defer push.Close()
	if inPlace && target.Transport == registry.TransportRegistry {
		push.Seen(target, object.Root)
	}
	how := pushing{PublishOptions: o.PublishOptions, force: o.Force || inPlace}
	if report.List == nil {
		plan, err := compose.PlanImage(list.Entries[0], list.Name, o.targets([]registry.Ref{target}))
		if err != nil {
			return publish.Done{}, err
		}
		return e.publish(ctx, push, plan, how)
	}
	if err := e.check(list, inspect.CheckOptions{KeepRows: true}, o.Force); err != nil {
		return publish.Done{}, err
	}
	return e.publishList(ctx, push, list, []registry.Ref{target}, how)
}

// elsewhere says where else an image may be that is not on this machine.
func (e names) elsewhere(o ImageOptions, err error) error {
	if o.Published || !errors.Is(err, registry.ErrNotFound) || o.Name.IsFile() {
		return err
	}
	return registry.WithHint(err, "to change what is in the registry, add --published")
}

// target is where the result goes: where it was found, or To.
func (o ImageOptions) target(found registry.Ref) (registry.Ref, error) {
	switch {
	case o.To != (registry.Ref{}) && o.Published && o.To.Bare:
		return o.To, registry.Usagef("changing %q: %q names no registry", o.Name, o.To)
	case o.To != (registry.Ref{}) && (o.Published || o.To.IsFile()):
		return inRegistries(o.To)[0], nil
	case o.To != (registry.Ref{}) && o.To.Transport == registry.TransportRegistry:
		return o.To.At(registry.TransportStore), nil
	case o.To != (registry.Ref{}):
		return o.To, nil
	case found.Transport == registry.TransportRegistry, found.Transport == registry.TransportStore,
		found.Transport == registry.TransportLayout:
		found.Digest = v1.Hash{}
		if found.Tag == "" && found.Transport != registry.TransportLayout {
			return found, registry.WithHint(registry.Usagef("changing %q: a digest follows from the content", o.Name),
				"name the result: -t NAME")
		}
		return found, nil
	}
	return found, registry.WithHint(registry.Usagef("changing %q: it can't be changed where it is", o.Name),
		"name the result: -t NAME")
}

// listOf is the list that was read, or one with the single image.
func (e notes) listOf(report inspect.Report) (compose.List, error) {
	if report.List != nil {
		list, told, err := compose.FromPublished(report)
		e.sayAll(told)
		return list, err
	}
	entries, told, err := compose.FromReport(report, compose.SelectOptions{Force: true})
	e.sayAll(told)
	return compose.List{Name: report.Ref, Entries: entries}, err
}
