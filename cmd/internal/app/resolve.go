package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/diff"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// ResolveOptions are the options of Resolve.
type ResolveOptions struct {
	Ref   registry.Ref
	Nodes []v1.Platform      // none means this machine
	As    []platform.Runtime // none means all
	Same  bool               // all runtimes must take the same entry for a node
	From  string             // store, registry; "" means both
}

// Resolved is which entry of a list each runtime takes, by node, then by runtime.
type Resolved struct {
	Report inspect.Report
	Taken  []inspect.Taken
}

// Resolve returns which entries runtimes take. There is also an error if one of them finds none (registry.ErrNotFound),
// if they differ and must not, or if the image is not for the node (inspect.ErrMismatch).
func (e names) Resolve(ctx context.Context, o ResolveOptions) (Resolved, error) {
	object, report, err := e.readOne(ctx, o.Ref, lookup(o.From))
	if err != nil {
		return Resolved{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	e.sayOther(object)
	if len(o.Nodes) == 0 {
		o.Nodes = []v1.Platform{platform.Host()}
	}
	if len(o.As) == 0 {
		o.As = platform.Runtimes()
	}
	all := Resolved{Report: report}
	var errs []error
	for _, node := range o.Nodes {
		var taken []inspect.Taken
		for _, runtime := range o.As {
			t, err := report.Resolve(runtime, node)
			if err != nil {
				return all, err
			}
			taken = append(taken, t)
		}
		all.Taken = append(all.Taken, taken...)
		if err := inspect.JudgeTaken(taken, o.Same); err != nil {
			errs = append(errs, fmt.Errorf("resolving %q for %s: %w", object.Ref, platform.Format(node), err))
		}
	}
	return all, errors.Join(errs...)
}

// Diff compares two lists or images, platform by platform. If they differ, it returns the difference and an error that
// wraps inspect.ErrMismatch. It looks names up as Inspect does.
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
