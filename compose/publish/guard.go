package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

// Kinds of failure, each a registry.ErrConflict; test with errors.Is.
var (
	// ErrDropped means that a published list would lose platforms.
	ErrDropped = conflict("the published list has platforms that this one leaves out")
	// ErrOverwrite means that a single image would replace a list at a tag.
	ErrOverwrite = conflict("refusing to overwrite a list")
	// ErrTaken means that a tag that must not move has other content.
	ErrTaken = conflict("the tag is taken")
	// ErrDamaged means that the content of a tag can't be read, so no guard can check it.
	ErrDamaged = errors.New("what is there is damaged")
)

func conflict(text string) error { return registry.WithKind(errors.New(text), registry.ErrConflict) }

// require checks what the images claim, and that the content serves what it must.
func require(plan compose.Plan, o Options) error {
	if len(o.Require) == 0 {
		return nil
	}
	report, err := plan.Report()
	if err != nil {
		return err
	}
	return inspect.Failed(inspect.Check(report, inspect.CheckOptions{Require: o.Require, KeepSpelling: true}))
}

// guard checks what a target has: a published list must not lose platforms unless the caller allows it; optional ones
// that the new list was made without, only with Force or MayDrop. Only Force overwrites damaged content.
func (p *Push) guard(ctx context.Context, plan compose.Plan, target registry.Ref, o Options) error {
	old, err := p.before(ctx, target)
	if o.Force && errors.Is(err, registry.ErrContent) {
		err = nil
	}
	if err != nil || !old.IsList() {
		return err
	}
	dropped, err := plan.Dropped(old)
	if err != nil {
		err = fmt.Errorf("reading the list at %q: %w: %w", target, ErrDamaged, err)
	}
	if err != nil && o.Force {
		p.note(fmt.Sprintf("warning, written over by force: %v", err))
		return nil
	}
	p.notes(dropped)
	if err != nil || len(dropped) == 0 || o.Force || o.MayDrop {
		return err
	}
	if len(o.Require) > 0 { // the rest may go, but not what the list was to have
		if dropped, err = plan.DroppedOptional(old); err != nil || len(dropped) == 0 {
			return err
		}
	}
	return &droppedError{target, dropped}
}

// droppedError has a line for each platform.
type droppedError struct {
	target registry.Ref
	lines  []string
}

func (e *droppedError) Error() string { return strings.Join(e.Lines(), "\n") }
func (e *droppedError) Unwrap() error { return ErrDropped }

// Lines returns the failure, then one line for each platform.
func (e *droppedError) Lines() []string {
	first := fmt.Sprintf("pushing %q: %v: %v", e.target, registry.ErrConflict, ErrDropped)
	return append([]string{first}, e.lines...)
}
