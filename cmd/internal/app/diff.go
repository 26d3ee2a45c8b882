package app

import (
	"context"
	"fmt"

	"mtool/inspect"
	"mtool/inspect/diff"
	"mtool/registry"
	"mtool/registry/source"
)

// Diff compares what two names have, platform by platform. That they differ is an error that wraps inspect.ErrMismatch,
// and the difference is returned with it. Names are looked up as Inspect does.
func (e names) Diff(ctx context.Context, a, b registry.Ref, from string) (diff.Result, error) {
	options := source.Options{Order: source.RegistryFirst, From: from}
	all, err := e.read(ctx, []registry.Ref{a, b}, options, reading{})
	if err != nil {
		return diff.Result{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	d, err := diff.Compare(all.reports[0], all.reports[1])
	if err == nil && !d.Same() {
		err = registry.WithKind(fmt.Errorf("%q and %q differ", a, b), inspect.ErrMismatch)
	}
	return d, err
}
