package source

import (
	"context"
	"fmt"

	"mtool/registry"
	"mtool/registry/remote"
)

// origin is a store or a registry in which a name is looked up.
type origin struct {
	transport registry.Transport
	where     string // what the user may look at: the store's directory
	open      func(context.Context, registry.Ref) (registry.Object, error)
}

func (p origin) describe(ref registry.Ref) string {
	s := ref.At(p.transport).String()
	if p.where != "" {
		s += " (" + p.where + ")"
	}
	return s
}

func (o Opener) inStore() origin {
	if o.Store == nil {
		return origin{transport: registry.TransportStore, where: "there is no store", open: nowhere}
	}
	return origin{transport: registry.TransportStore, where: o.Store.Dir(), open: o.Store.Get}
}

func (o Opener) inRegistry() origin {
	p := origin{transport: registry.TransportRegistry, where: "no registry client", open: nowhere}
	if o.Client != nil {
		p.where, p.open = "registry", o.fetch
	}
	return p
}

func (o Opener) fetch(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	there := ref.At(registry.TransportRegistry)
	repository := o.Client.Repository(there, remote.Pull)
	m, err := repository.Resolve(ctx, there)
	if err != nil {
		return registry.Object{}, err
	}
	return registry.Object{Ref: there, Root: m, Source: repository}, nil
}

func nowhere(_ context.Context, ref registry.Ref) (registry.Object, error) {
	return registry.Object{}, fmt.Errorf("opening %q: %w", ref, registry.ErrNotFound)
}
