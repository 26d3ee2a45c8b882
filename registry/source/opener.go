package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/remote"
	"mtool/registry/store"
)

// Order is where a name without a transport is looked up.
type Order int

// The values of Order.
const (
	// LocalFirst is for sources of a list and for FROM: the store, then the registry. A one-word name, most likely
	// built on this machine, is looked up in the store only.
	LocalFirst Order = iota
	// RegistryFirst is for checks of what is deployed: a name with a registry host is looked up there only, a bare name
	// in the store, then in the registry.
	RegistryFirst
)

// The values of Options.From.
const (
	FromStore    = "store"
	FromRegistry = "registry"
)

// Options are the choices of where to look.
type Options struct {
	Order Order
	// From restricts the search to one place: FromStore, FromRegistry, or "" for the order.
	From string
	// Compare also looks up the digest in the place that was not used, and sets Object.Other where it differs. It never
	// fails.
	Compare bool
}

// Opener opens references. Without a Store or a Client nothing is found there.
type Opener struct {
	Store  *store.Store
	Client *remote.Client
	// Explain, if not nil, is called with where each name was looked up and what was found.
	Explain func(string)
}

func (o Opener) explain(format string, args ...any) {
	if o.Explain != nil {
		o.Explain(fmt.Sprintf(format, args...))
	}
}

// compareTime limits the lookup in the place that was not used. That lookup is a courtesy; a registry that does not
// answer must not delay local work.
const compareTime = 3 * time.Second

// Open opens what ref names; the caller closes the Object. When the name is nowhere, the error wraps
// registry.ErrNotFound and lists every place; any other error of a place ends the search. A transport that can't be
// opened here is a registry.ErrName.
func (o Opener) Open(ctx context.Context, ref registry.Ref, opt Options) (registry.Object, error) {
	switch ref.Transport {
	case registry.TransportRegistry:
		return o.lookUp(ctx, ref, opt)
	case registry.TransportStore:
		return o.first(ctx, ref, []origin{o.inStore()})
	case registry.TransportLayout, registry.TransportDirectory, registry.TransportArchive, registry.TransportDockerArchive:
		return archive.Open(ctx, ref)
	case registry.TransportEngine:
		return inEngine(ctx, ref)
	case registry.TransportContainers:
		return inContainers(ctx, ref)
	case registry.TransportDraft:
		return registry.Object{}, registry.WithKind(fmt.Errorf("opening %q: a draft has no content to read before it is pushed", ref),
			registry.ErrName)
	}
	return registry.Object{}, fmt.Errorf("opening %q: unknown transport %q: %w", ref, ref.Transport, registry.ErrName)
}

// lookUp finds a name without a transport, or with docker://, which means the registry.
func (o Opener) lookUp(ctx context.Context, ref registry.Ref, opt Options) (registry.Object, error) {
	places, err := o.places(ref, opt)
	if err != nil {
		return registry.Object{}, err
	}
	doubt := ref.CheckHub()
	if doubt != nil && opt.From == "" {
		places = places[:1] // the store, which a bare name is looked up in first
	}
	object, err := o.first(ctx, ref, places)
	if doubt != nil && opt.From == "" && errors.Is(err, registry.ErrNotFound) {
		return registry.Object{}, doubt
	}
	if err != nil {
		if len(places) == 1 && places[0].transport == registry.TransportStore && opt.From == "" && errors.Is(err, registry.ErrNotFound) {
			err = registry.WithKind(err, ErrNotBuilt)
		}
		return registry.Object{}, err
	}
	if opt.Compare && ref.Digest == (v1.Hash{}) {
		object.Other = o.other(ctx, object, ref)
	}
	return object, nil
}

func (o Opener) places(ref registry.Ref, opt Options) ([]origin, error) {
	forced := strings.HasPrefix(ref.Typed, string(registry.TransportRegistry)+"://")
	switch {
	case opt.From == FromStore:
		return []origin{o.inStore()}, nil
	case opt.From != "" && opt.From != FromRegistry:
		return nil, registry.WithKind(fmt.Errorf("looking up %q: unknown place %q, only %s and %s are known", ref, opt.From, FromStore,
			FromRegistry), registry.ErrName)
	case opt.From == FromRegistry, forced, opt.Order == RegistryFirst && !ref.Bare:
		return []origin{o.inRegistry()}, nil
	case opt.Order == LocalFirst && ref.Local():
		return []origin{o.inStore()}, nil
	}
	return []origin{o.inStore(), o.inRegistry()}, nil
}

// first searches one place after the other.
func (o Opener) first(ctx context.Context, ref registry.Ref, places []origin) (registry.Object, error) {
	var missing []string
	for _, p := range places {
		object, err := p.open(ctx, ref)
		if err == nil {
			o.explain("%s: found in %s as %s", ref.Name(), p.describe(ref), object.Root.Digest)
			return object, nil
		}
		o.explain("%s: not found in %s", ref.Name(), p.describe(ref))
		if !errors.Is(err, registry.ErrNotFound) {
			return registry.Object{}, &lookupError{ref: ref, missing: missing, err: err}
		}
		missing = append(missing, p.describe(ref))
		if p.transport == registry.TransportRegistry && len(places) == 1 {
			return registry.Object{}, err // the registry's own message says more
		}
	}
	return registry.Object{}, &lookupError{ref: ref, missing: missing, err: registry.ErrNotFound}
}

// other returns the digest in the place that was not used, when it differs; zero also when that place can't be read.
// The user did not ask for that place, so its failure does not matter.
func (o Opener) other(ctx context.Context, found registry.Object, ref registry.Ref) v1.Hash {
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	var digest v1.Hash
	switch {
	case found.Ref.Transport == registry.TransportRegistry:
		if object, err := o.inStore().open(ctx, ref); err == nil {
			digest = object.Root.Digest
		}
	case !ref.Local() && o.Client != nil:
		if m, err := o.Client.Repository(ref.At(registry.TransportRegistry), remote.Pull).Tag(ctx, ref.Tag); err == nil {
			digest = m.Digest
		}
	}
	if digest == found.Root.Digest {
		return v1.Hash{}
	}
	return digest
}
