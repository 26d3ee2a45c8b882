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
	"mtool/registry/source"
)

// PushOptions are the options of Push.
type PushOptions struct {
	PublishOptions
	List    registry.Ref
	Dests   []registry.Ref // none means the name of the list
	Require []v1.Platform
	Force   bool
	// Doubtful takes claims of a draft that the images' configs deny, and notes them.
	Doubtful bool
	Refresh  bool         // take sources that have moved
	Type     compose.Type // of the list and, converted if need be, of its images; TypeAuto: as they are
	Purge    bool         // delete the draft once all targets have it
	// Referrers copies what refers to the images: signatures, SBOMs.
	Referrers bool
}

// Push publishes a draft, a store image, a layout or an archive. Targets are independent of each other: if only some
// fail, the error wraps publish.ErrPartial, and Done has what was published.
func (e *Env) Push(ctx context.Context, o PushOptions) (publish.Done, error) {
	var err error
	if o.Dests, err = o.destinations(); err != nil {
		return publish.Done{}, err
	}
	push := e.publisher(o.Compression).Start(ctx, o.Dests)
	defer push.Close()
	if !o.List.MayBeDraft() {
		return e.pushContent(ctx, push, o)
	}
	list, err := e.Drafts.Load(ctx, o.List)
	switch {
	case errors.Is(err, registry.ErrNotFound) && (o.List.Bare || o.List.Transport == registry.TransportRegistry):
		return e.pushContent(ctx, push, o)
	case err != nil:
		return publish.Done{}, err
	}
	if err := e.draftIsMeant(o.List, list); err != nil {
		return publish.Done{}, err
	}
	done, err := e.pushDraft(ctx, push, list, o)
	if err != nil || !o.Purge || o.DryRun {
		return done, err
	}
	if err := e.Drafts.Remove(ctx, o.List); err != nil {
		return done, err
	}
	e.note("removed draft %s", o.List.Familiar())
	return done, nil
}

// destinations returns where the list is published: Dests, or else its own name.
func (o PushOptions) destinations() ([]registry.Ref, error) {
	switch name := o.List.At(registry.TransportRegistry); {
	case len(o.Dests) > 0:
		return inRegistries(o.Dests...)
	case o.List.IsFile() || o.List.Foreign():
		return nil, registry.WithHint(registry.Usagef("pushing %q: no destination given", o.List),
			"mtool push "+o.List.Typed+" DEST")
	default:
		if err := name.CheckTarget(); err != nil {
			return nil, registry.WithHint(err, "mtool push "+name.Familiar()+" HOST/"+name.Familiar())
		}
		return inRegistries(name)
	}
}

// draftIsMeant notes that the draft is pushed where the store has other content of this name, and refuses to guess
// where that is newer: it was most likely built after the list was made.
func (e names) draftIsMeant(name registry.Ref, list compose.List) error {
	if name.Transport == registry.TransportDraft {
		return nil
	}
	image, err := e.Store.Find(name)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	root, encodeErr := list.Encode()
	made, dateErr := e.Drafts.Modified(name)
	if err := errors.Join(err, encodeErr, dateErr); err != nil || root.Digest == image.Descriptor.Digest {
		return err
	}
	short := name.Familiar()
	if image.Named.After(made) {
		return registry.WithHint(
			fmt.Errorf("pushing %q: %w: the store has an image of this name that is newer than the draft", short,
				registry.ErrConflict),
			fmt.Sprintf("mtool push store:%s for the image, mtool push draft:%s for the list", short, short),
		)
	}
	e.note("pushing the draft %s; the store has an older image of this name: store:%s", short, short)
	return nil
}

func (o PushOptions) pushing() pushing {
	return pushing{PublishOptions: o.PublishOptions, require: o.Require, force: o.Force, referrers: o.Referrers}
}

func (e *Env) pushDraft(
	ctx context.Context, push *publish.Push, list compose.List, o PushOptions,
) (publish.Done, error) {
	parts := list.Digests()
	r := reading{wanted: func(d v1.Descriptor) bool { return parts[d.Digest] }}
	if !o.DryRun {
		r.push = push
	}
	all, reports, err := e.readSources(ctx, list, r)
	if err != nil {
		return publish.Done{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	if o.Refresh {
		var changes []compose.Change
		var notes []string
		list, changes, notes, err = list.Refresh(reports, compose.SelectOptions{Force: o.Force})
		e.sayAll(notes)
		e.sayChanges(changes)
	} else {
		list, err = list.Resolve(reports)
	}
	if err != nil {
		return publish.Done{}, err
	}
	if o.Type != compose.TypeAuto {
		var changes []compose.Change
		if list, changes, err = list.As(o.Type); err != nil {
			return publish.Done{}, err
		}
		e.sayChanges(changes)
	}
	if err := e.check(list, inspect.CheckOptions{Require: o.Require}, o.Force || o.Doubtful); err != nil {
		return publish.Done{}, err
	}
	return e.publishList(ctx, push, list, o.Dests, o.pushing())
}

// pushContent pushes what is not a draft, unchanged.
func (e *Env) pushContent(ctx context.Context, push *publish.Push, o PushOptions) (publish.Done, error) {
	if o.Purge {
		return publish.Done{}, registry.Usagef("pushing %q: only a draft can be purged, and it is none", o.List)
	}
	object, report, err := e.readOne(ctx, o.List, source.Options{Order: source.LocalFirst, From: onlyStore(o.List)})
	if err != nil {
		return publish.Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, inspect.CheckOptions{Require: o.Require}, o.Force); err != nil {
		return publish.Done{}, err
	}
	return e.publishReport(ctx, push, report, o.Dests, o.pushing())
}

// onlyStore returns where push looks a name up: never in a registry, since that is what copy is for.
func onlyStore(ref registry.Ref) string {
	if ref.IsFile() || ref.Foreign() {
		return ""
	}
	return "store"
}

// CopyOptions are the options of Copy.
type CopyOptions struct {
	PublishOptions
	Src, Dst  registry.Ref
	Force     bool
	Referrers bool // see PushOptions
	// Platform is that of the image for Docker Engine; zero means the engine's.
	Platform v1.Platform
}

// Copy copies an image or a list with everything in it. Digests do not change.
func (e *Env) Copy(ctx context.Context, o CopyOptions) (publish.Done, error) {
	if err := engineOnly(o.Platform, o.Dst.Transport); err != nil {
		return publish.Done{}, err
	}
	targets, err := inRegistries(o.Dst)
	if err != nil {
		return publish.Done{}, err
	}
	push := e.publisher(o.Compression).Start(ctx, targets)
	defer push.Close()
	var r reading
	if !o.DryRun {
		r.push = push
	}
	object, report, err := e.readWaiting(ctx, o.Src, lookup(""), r)
	if err != nil {
		return publish.Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, inspect.CheckOptions{}, o.Force); err != nil {
		return publish.Done{}, err
	}
	return e.publishReport(ctx, push, report, targets, pushing{
		PublishOptions: o.PublishOptions, force: o.Force, engine: o.Platform, referrers: o.Referrers,
	})
}
