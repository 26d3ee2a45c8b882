package flow

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/registry"
	"mtool/registry/source"
)

// InspectOptions say what to look at and what must hold.
type InspectOptions struct {
	Refs    []registry.Ref
	Require []v1.Platform
	Exact   bool // nothing but Require
	Strict  bool // notes are failures
	// NoVerify only shows; findings are made but fail nothing.
	NoVerify bool
	From     string // "", store, registry
	DeepOptions
}

// Inspection is what is under one reference and what was found of it. Err is nil when nothing is wrong.
type Inspection struct {
	Report   inspect.Report
	Findings []inspect.Finding
	Err      error
	// Level is how much was looked at, and Cost what was read for it.
	Level Level
	Cost  deep.Cost
}

// Level is how much was looked at.
type Level string

// The levels.
const (
	Claims      Level = "claims"
	Binaries    Level = "binaries"
	Entrypoints Level = "entrypoints" // only the binaries that the images start
)

// State is the verdict on the image at this index of the report.
func (i Inspection) State(image int) inspect.State {
	if image < len(i.Findings) {
		return i.Findings[image].State
	}
	return inspect.Unchecked
}

// Inspect reads all references at once and checks them in their order. What could be read is returned beside the error,
// which joins those of all references in order.
func (e *Env) Inspect(ctx context.Context, o InspectOptions) ([]Inspection, error) {
	all := make([]found, len(o.Refs))
	var g errgroup.Group // the client limits the requests in flight
	for i, ref := range o.Refs {
		g.Go(func() error {
			all[i].object, all[i].report, all[i].err = e.readOne(ctx, ref, lookup(o.From))
			return nil
		})
	}
	_ = g.Wait()
	var seen []Inspection
	var errs []error
	for _, f := range all {
		one, err := e.inspectOne(ctx, f, o)
		if err == nil || one.Report.Root.Body != nil {
			seen = append(seen, one)
		}
		errs = append(errs, err)
	}
	return seen, errors.Join(errs...)
}

// found is what is under a reference, or why that could not be read.
type found struct {
	object registry.Object
	report inspect.Report
	err    error
}

func (e *Env) inspectOne(ctx context.Context, f found, o InspectOptions) (_ Inspection, err error) {
	if f.err != nil {
		return Inspection{}, f.err
	}
	defer f.object.Close() //nolint:errcheck // opened for reading only
	e.sayOther(f.object)
	one := Inspection{Report: f.report, Level: o.level()}
	one.Findings = inspect.Check(f.report, inspect.CheckOptions{Require: o.Require, Exact: o.Exact, Strict: o.Strict})
	if o.Deep {
		if one.Findings, one.Cost, err = e.deepen(ctx, f.report, one.Findings, o.DeepOptions, o.Strict); err != nil {
			return Inspection{}, fmt.Errorf("inspecting %q: %w", f.object.Ref, err)
		}
	}
	told := deep.Summary(one.Findings)
	e.sayNotes(told)
	one.Err = inspect.Failed(told)
	if one.Err == nil || o.NoVerify {
		return one, nil
	}
	return one, fmt.Errorf("inspecting %q: %w", f.object.Ref, one.Err)
}

func (o DeepOptions) level() Level {
	switch {
	case !o.Deep:
		return Claims
	case o.EntrypointOnly:
		return Entrypoints
	}
	return Binaries
}

// lookup is how inspect and copy find names: one with a host in its registry only.
func lookup(from string) source.Options {
	return source.Options{Order: source.RegistryFirst, From: from}
}

// Raw are the exact bytes under a reference.
func (e *Env) Raw(ctx context.Context, ref registry.Ref, from string) ([]byte, error) {
	object, err := e.open(ctx, ref, lookup(from))
	if err != nil {
		return nil, err
	}
	return object.Root.Body, object.Close()
}

// Exists answers what a name is; an error that wraps registry.ErrNotFound when it is nowhere.
func (e *Env) Exists(ctx context.Context, ref registry.Ref) (Made, error) {
	object, err := e.open(ctx, ref, lookup(""))
	if err != nil {
		return Made{}, err
	}
	return madeAt(object.Ref, object.Root.Digest), object.Close()
}

// draftObject opens a draft: its sources are read again, and one that has moved is an error.
func (e *Env) draftObject(ctx context.Context, list compose.List) (registry.Object, error) {
	list, all, err := e.resolve(ctx, list)
	if err != nil {
		return registry.Object{}, err
	}
	object, err := list.Object()
	object.Closer = all
	return object, err
}

// resolve reads the sources of a draft and attaches their content to its entries. The caller closes what was opened.
func (e *Env) resolve(ctx context.Context, list compose.List) (compose.List, opened, error) {
	all, reports, err := e.readSources(ctx, list)
	if err != nil {
		return list, all, err
	}
	list, err = list.Resolve(reports)
	if err != nil {
		return list, opened{}, errors.Join(err, all.Close())
	}
	return list, all, nil
}

func (e *Env) readSources(ctx context.Context, list compose.List) (opened, map[registry.Ref]inspect.Report, error) {
	sources := list.Sources()
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst})
	if err != nil {
		return all, nil, fmt.Errorf("reading the sources of draft %q: %w", list.Name, err)
	}
	reports := make(map[registry.Ref]inspect.Report, len(sources))
	for i, ref := range sources {
		reports[ref] = all.reports[i]
	}
	return all, reports, nil
}
