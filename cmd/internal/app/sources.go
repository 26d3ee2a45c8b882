package app

import (
	"context"
	"errors"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/source"
)

// entries reads the sources and makes entries of them.
func (e names) entries(
	ctx context.Context, sources []registry.Ref, o EditOptions, r reading,
) (opened, []compose.Entry, error) {
	r.wait, r.ignoreMissing, r.optional = o.Wait, o.IgnoreMissing, o.Optional
	if len(o.Platforms) > 0 {
		r.push = nil // it would upload all platforms
	}
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst, From: o.From, Compare: true}, r)
	if err != nil {
		return all, nil, err
	}
	var read []compose.Source
	for i, ref := range sources {
		if all.objects[i].Source == nil {
			continue // missing, which o allows
		}
		e.sayOther(all.objects[i])
		read = append(read, compose.Source{
			Ref: remembered(ref, all.objects[i].Ref, o.From), Report: all.reports[i], Overrides: r.override(i),
		})
	}
	entries, notes, err := compose.FromReports(read, compose.SelectOptions{
		Platforms: o.Platforms, Attestations: compose.Attestations(o.Attestations), Force: o.Force, KeepLists: o.NoFlatten,
		Optional: o.Optional,
	})
	if err != nil {
		return opened{}, nil, errors.Join(err, all.Close())
	}
	e.sayAll(notes)
	return all, entries, nil
}

// remembered returns the source as a draft keeps it. If the name alone could be found elsewhere another time, that is
// with the transport of where it was found.
func remembered(source, found registry.Ref, from string) registry.Ref {
	if from != "" || source.Bare {
		return source.At(found.Transport)
	}
	return source
}
