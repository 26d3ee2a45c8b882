package flow

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/source"
)

// ErrPartial says that some of several targets have it, others don't.
var ErrPartial = errors.New("not all targets done")

// PushOptions say what is pushed where.
type PushOptions struct {
	List    registry.Ref
	Dests   []registry.Ref // none: the list's own name
	Require []v1.Platform
	Force   bool
	Refresh bool // take the sources that moved
	Confirm bool
}

// Push publishes a draft, a store image, a layout or an archive. Several targets are independent of each other: what was
// done is returned beside the error, which wraps ErrPartial when there is any.
func (e *Env) Push(ctx context.Context, o PushOptions) ([]Made, error) {
	if len(o.Dests) == 0 {
		if o.List.IsFile() {
			return nil, hinted{fmt.Errorf("pushing %q: %w: no destination named", o.List, compose.ErrUsage), "mtool push " + o.List.Typed + " DEST"}
		}
		o.Dests = []registry.Ref{o.List.At(registry.TransportRegistry)}
	}
	states := make([]func() (targetState, error), len(o.Dests))
	for i, dest := range o.Dests {
		state, cancel := e.announce(ctx, dest, true)
		defer cancel()
		states[i] = state
	}
	list, err := e.Drafts.Load(ctx, o.List)
	switch {
	case o.List.IsFile() || o.List.Transport == registry.TransportStore || errors.Is(err, registry.ErrNotFound) && o.List.Bare:
		return e.pushContent(ctx, o, states)
	case errors.Is(err, registry.ErrNotFound) && o.List.Transport == registry.TransportRegistry:
		return e.pushContent(ctx, o, states)
	case err != nil:
		return nil, err
	}
	return e.pushDraft(ctx, list, o, states)
}

func (e *Env) pushDraft(ctx context.Context, list compose.List, o PushOptions, states []func() (targetState, error)) ([]Made, error) {
	all, reports, err := e.readSources(ctx, list)
	if err != nil {
		return nil, err
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
		return nil, err
	}
	if err := e.check(list, o.Require, o.Force); err != nil {
		return nil, err
	}
	return e.toEach(o, states, func(dest registry.Ref, state targetState, po publishOptions) (Made, error) {
		if !isRegistry(dest) {
			report, err := list.Report()
			if err != nil {
				return Made{}, err
			}
			return e.publishReport(ctx, report, dest, state, po)
		}
		return e.publish(ctx, list, dest, state, po)
	})
}

// pushContent pushes something that is not a draft, as it is.
func (e *Env) pushContent(ctx context.Context, o PushOptions, states []func() (targetState, error)) ([]Made, error) {
	object, report, err := e.readOne(ctx, o.List, source.Options{Order: source.LocalFirst, From: onlyStore(o.List)})
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, o.Require, o.Force); err != nil {
		return nil, err
	}
	return e.toEach(o, states, func(dest registry.Ref, state targetState, po publishOptions) (Made, error) {
		return e.publishReport(ctx, report, dest, state, po)
	})
}

// onlyStore keeps push from taking a name out of a registry: what is pushed is local, copy is for the rest.
func onlyStore(ref registry.Ref) string {
	if ref.IsFile() {
		return ""
	}
	return "store"
}

func (e *Env) toEach(o PushOptions, states []func() (targetState, error), push func(registry.Ref, targetState, publishOptions) (Made, error)) ([]Made, error) {
	var made []Made
	var errs []error
	for i, dest := range o.Dests {
		state, err := states[i]()
		if err == nil {
			var one Made
			if one, err = push(dest, state, publishOptions{Require: o.Require, Force: o.Force, Confirm: o.Confirm}); err == nil {
				made = append(made, one)
				continue
			}
		}
		errs = append(errs, fmt.Errorf("pushing to %q: %w", dest, err))
	}
	if len(made) > 0 && len(errs) > 0 {
		errs = append(errs, fmt.Errorf("%w: %d of %d", ErrPartial, len(made), len(o.Dests)))
	}
	return made, errors.Join(errs...)
}

// CopyOptions say what is copied where.
type CopyOptions struct {
	Src, Dst registry.Ref
	Force    bool
}

// Copy copies an image or a whole list with everything below it, digests unchanged.
func (e *Env) Copy(ctx context.Context, o CopyOptions) (Made, error) {
	state, cancel := e.announce(ctx, o.Dst, true)
	defer cancel()
	object, report, err := e.readOne(ctx, o.Src, lookup(""))
	if err != nil {
		return Made{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if err := e.checkReport(report, nil, o.Force); err != nil {
		return Made{}, err
	}
	before, err := state()
	if err != nil {
		return Made{}, err
	}
	return e.publishReport(ctx, report, o.Dst, before, publishOptions{Force: o.Force})
}
