package app

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/source"
)

// PushOptions say what is pushed where.
type PushOptions struct {
	PublishOptions
	List    registry.Ref
	Dests   []registry.Ref // none: the list's own name
	Require []v1.Platform
	Force   bool
	Refresh bool // take the sources that moved
	Purge   bool // delete the draft when all targets have it
	// Referrers carries what refers to the images along: signatures, SBOMs.
	Referrers bool
}

// Push publishes a draft, a store image, a layout or an archive. Several targets are independent of each other: what was
// done is returned beside the error, which wraps ErrPartial when there is any.
func (e *Env) Push(ctx context.Context, o PushOptions) (Done, error) {
	if len(o.Dests) == 0 {
		if o.List.IsFile() || o.List.Transport == registry.TransportEngine {
			return Done{}, registry.WithHint(registry.Usagef("pushing %q: no destination named", o.List), "mtool push "+o.List.Typed+" DEST")
		}
		o.Dests = []registry.Ref{o.List.At(registry.TransportRegistry)}
	}
	targets, cancel := e.announce(ctx, o.Dests)
	defer cancel()
	list, err := e.Drafts.Load(ctx, o.List)
	switch {
	case o.List.IsFile(), o.List.Transport == registry.TransportStore, o.List.Transport == registry.TransportEngine:
		return e.pushContent(ctx, o, targets)
	case errors.Is(err, registry.ErrNotFound) && (o.List.Bare || o.List.Transport == registry.TransportRegistry):
		return e.pushContent(ctx, o, targets)
	case err != nil:
		return Done{}, err
	}
	done, err := e.pushDraft(ctx, list, o, targets)
	if err != nil || !o.Purge || o.DryRun {
		return done, err
	}
	if err := e.Drafts.Remove(ctx, o.List); err != nil {
		return done, err
	}
	e.note("removed draft %s", o.List.Familiar())
	return done, nil
}

func (e *Env) pushDraft(ctx context.Context, list compose.List, o PushOptions, targets []target) (Done, error) {
	ctx, stop := context.WithCancel(ctx)
	under := e.ahead(targets, o.DryRun)
	under.want(digestsOf(list))
	defer under.end(ctx, stop)
	all, reports, err := e.readSources(ctx, list, under)
	if err != nil {
		return Done{}, err
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
		return Done{}, err
	}
	if err := e.check(list, inspect.CheckOptions{Require: o.Require}, o.Force); err != nil {
		return Done{}, err
	}
	po, end, err := e.publishing(ctx, o, subjectsOfList(list))
	if err != nil {
		return Done{}, err
	}
	defer end()
	return e.publishList(ctx, list, targets, po)
}

// pushContent pushes something that is not a draft, as it is.
func (e *Env) pushContent(ctx context.Context, o PushOptions, targets []target) (Done, error) {
	if o.Purge {
		return Done{}, registry.Usagef("pushing %q: it is no draft, and only drafts are purged", o.List)
	}
	object, report, err := e.readOne(ctx, o.List, source.Options{Order: source.LocalFirst, From: onlyStore(o.List)})
	if err != nil {
		return Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, o.Require, o.Force); err != nil {
		return Done{}, err
	}
	po, end, err := e.publishing(ctx, o, subjectsOf(report))
	if err != nil {
		return Done{}, err
	}
	defer end()
	return e.publish(ctx, asItIs(report, po), targets, po)
}

// publishing makes the options of a push; with Referrers, what refers to the subjects goes along, and end closes it.
func (e *Env) publishing(ctx context.Context, o PushOptions, subjects []subject) (po publishOptions, end func(), err error) {
	po = publishOptions{PublishOptions: o.PublishOptions, Require: o.Require, Force: o.Force}
	if !o.Referrers {
		return po, func() {}, nil
	}
	along, err := e.alongside(ctx, subjects)
	if err != nil {
		return po, nil, err
	}
	po.besides = along.bring
	return po, func() { _ = along.Close() }, nil // opened for reading only
}

// onlyStore keeps push from taking a name out of a registry: what is pushed is local, copy is for the rest.
func onlyStore(ref registry.Ref) string {
	if ref.IsFile() || ref.Transport == registry.TransportEngine {
		return ""
	}
	return "store"
}

// CopyOptions say what is copied where.
type CopyOptions struct {
	PublishOptions
	Src, Dst  registry.Ref
	Force     bool
	Referrers bool // see PushOptions
	// Platform of the image that Docker Engine gets of a list; zero is the engine's own.
	Platform v1.Platform
}

// Copy copies an image or a whole list with everything below it, digests unchanged.
func (e *Env) Copy(ctx context.Context, o CopyOptions) (Done, error) {
	if err := engineOnly(o.Platform, o.Dst.Transport); err != nil {
		return Done{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	targets, cancel := e.announce(ctx, []registry.Ref{o.Dst})
	defer cancel()
	under := e.ahead(targets, o.DryRun)
	defer under.end(ctx, stop)
	object, report, err := e.readWaiting(ctx, o.Src, lookup(""), reading{ahead: under})
	if err != nil {
		return Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, nil, o.Force); err != nil {
		return Done{}, err
	}
	po := publishOptions{PublishOptions: o.PublishOptions, Force: o.Force, engine: o.Platform}
	if o.Referrers {
		along, err := e.alongside(ctx, subjectsOf(report))
		if err != nil {
			return Done{}, err
		}
		defer along.Close() //nolint:errcheck // opened for reading only
		po.besides = along.bring
	}
	return e.publish(ctx, asItIs(report, po), targets, po)
}
