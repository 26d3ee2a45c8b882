package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/source"
)

// entries reads the sources and makes entries of them, with a line for each.
func (e names) entries(
	ctx context.Context, sources []registry.Ref, o EditOptions, r reading,
) (opened, []compose.Entry, error) {
	r.wait, r.ignore = o.Wait, o.IgnoreMissing
	if len(o.Platforms) > 0 {
		r.push = nil // not everything is wanted
	}
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst, From: o.From, Compare: true}, r)
	if err != nil {
		return all, nil, err
	}
	var told []compose.Source
	for i, ref := range sources {
		if all.objects[i].Source == nil {
			continue // it is missing, and that is all right
		}
		e.sayOther(all.objects[i])
		t := compose.Source{Ref: remembered(ref, all.objects[i].Ref, o.From), Report: all.reports[i]}
		if r.overrides != nil {
			t.Overrides = r.overrides[i]
		}
		told = append(told, t)
	}
	entries, notes, err := compose.FromReports(told, compose.SelectOptions{
		Platforms: o.Platforms, Attestations: compose.Attestations(o.Attestations), Force: o.Force, KeepLists: o.NoFlatten,
	})
	if err != nil {
		return opened{}, nil, errors.Join(err, all.Close())
	}
	e.sayAll(notes)
	return all, entries, nil
}

// forgive takes the errors about sources that are not there away, unless that is so of all. Only a registry or a store
// that says so counts.
func (e notes) forgive(refs []registry.Ref, errs []error) {
	if !slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, registry.ErrNotFound) }) {
		return
	}
	for i, err := range errs {
		if errors.Is(err, registry.ErrNotFound) {
			e.note("left out: %s, which is not there", refs[i])
			errs[i] = nil
		}
	}
}

// openWaiting asks again and again for a source that is not there, as long as it may take.
func (e names) openWaiting(
	ctx context.Context, ref registry.Ref, o source.Options, wait time.Duration,
) (registry.Object, error) {
	if wait == 0 {
		return e.open(ctx, ref, o)
	}
	var object registry.Object
	noted := false
	missing := func(err error) bool {
		if errors.Is(err, registry.ErrNotFound) && !noted {
			noted = true
			e.note("waiting up to %s for %s, which is not there yet", wait, ref)
		}
		return errors.Is(err, registry.ErrNotFound)
	}
	err := registry.Retry{First: time.Second, Longest: 15 * time.Second, Total: wait}.Do(ctx, missing, func() (err error) {
		object, err = e.open(ctx, ref, o)
		return err
	})
	if missing(err) {
		err = fmt.Errorf("%w (waited %s)", err, wait)
	}
	return object, err
}

// remembered is the source as a draft keeps it: as told, but in the place where it was found when the name alone would
// find it elsewhere at another time.
func remembered(told, found registry.Ref, from string) registry.Ref {
	if from != "" || told.Bare {
		return told.At(found.Transport)
	}
	return told
}
