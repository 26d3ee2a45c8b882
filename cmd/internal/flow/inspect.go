package flow

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
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
}

// Inspection is what is under one reference and what was found of it. Err is nil when nothing is wrong.
type Inspection struct {
	Report   inspect.Report
	Findings []inspect.Finding
	Err      error
}

// State is the verdict on the image at this index of the report.
func (i Inspection) State(image int) inspect.State {
	if image < len(i.Findings) {
		return i.Findings[image].State
	}
	return inspect.Unchecked
}

// Inspect reads and checks every reference, all at once. What could be read is returned beside the error, which joins
// those of all references in order.
func (e *Env) Inspect(ctx context.Context, o InspectOptions) ([]Inspection, error) {
	var seen []Inspection
	var errs []error
	for _, ref := range o.Refs {
		one, err := e.inspectOne(ctx, ref, o)
		if err == nil || one.Report.Root.Body != nil {
			seen = append(seen, one)
		}
		errs = append(errs, err)
	}
	return seen, errors.Join(errs...)
}

func (e *Env) inspectOne(ctx context.Context, ref registry.Ref, o InspectOptions) (Inspection, error) {
	object, report, err := e.readOne(ctx, ref, lookup(o.From))
	if err != nil {
		return Inspection{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	e.sayOther(object)
	one := Inspection{Report: report, Findings: inspect.Check(report, inspect.CheckOptions{Require: o.Require, Exact: o.Exact, Strict: o.Strict})}
	for _, f := range one.Findings {
		if f.State == inspect.Note {
			e.note("note: %s", f.Message)
		}
	}
	one.Err = inspect.Failed(one.Findings)
	if one.Err == nil || o.NoVerify {
		return one, nil
	}
	return one, fmt.Errorf("inspecting %q: %w", object.Ref, one.Err)
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
