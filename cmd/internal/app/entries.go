package app

import (
	"context"
	"errors"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/source"
)

// Entries returns what an edit of the list may name: the entries of the draft, else of the image in the local store, or
// of the published list.
func (e *Env) Entries(ctx context.Context, list registry.Ref, published bool) ([]compose.Entry, error) {
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
