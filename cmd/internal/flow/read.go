package flow

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/source"
)

// opened are references that were opened and read, in the order asked. Close releases their files.
type opened struct {
	objects []registry.Object
	reports []inspect.Report
}

func (o opened) Close() error {
	var errs []error
	for _, object := range o.objects {
		errs = append(errs, object.Close())
	}
	return errors.Join(errs...)
}

// read opens all references at once and reads the tree under each. Errors are joined in the order of the references.
func (e *Env) read(ctx context.Context, refs []registry.Ref, o source.Options) (opened, error) {
	all := opened{make([]registry.Object, len(refs)), make([]inspect.Report, len(refs))}
	errs := make([]error, len(refs))
	var g errgroup.Group // the client limits the requests in flight
	for i, ref := range refs {
		g.Go(func() error {
			all.objects[i], all.reports[i], errs[i] = e.readOne(ctx, ref, o)
			return nil
		})
	}
	_ = g.Wait()
	if err := errors.Join(errs...); err != nil {
		return opened{}, errors.Join(err, all.Close())
	}
	return all, nil
}

func (e *Env) readOne(ctx context.Context, ref registry.Ref, o source.Options) (registry.Object, inspect.Report, error) {
	return e.readWaiting(ctx, ref, o, reading{})
}

// open looks a name up as DESIGN says: a bare name in drafts first (only where a whole list is wanted, not for sources).
func (e *Env) open(ctx context.Context, ref registry.Ref, o source.Options) (registry.Object, error) {
	draftWanted := ref.Transport == registry.TransportDraft || ref.Bare && o.From == "" && o.Order == source.RegistryFirst
	if draftWanted {
		list, err := e.Drafts.Load(ctx, ref)
		if err == nil {
			return e.draftObject(ctx, list)
		}
		if ref.Transport == registry.TransportDraft || !errors.Is(err, registry.ErrNotFound) {
			return registry.Object{}, err
		}
	}
	object, err := e.opener().Open(ctx, ref, o)
	if draftWanted && errors.Is(err, registry.ErrNotFound) {
		err = fmt.Errorf("no draft %s; %w", ref.At(registry.TransportDraft), err)
	}
	return object, err
}
