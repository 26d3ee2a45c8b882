package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/source"
)

// lookup returns how inspect and copy look up names: a name with a host in its registry only.
func lookup(from string) source.Options {
	return source.Options{Order: source.RegistryFirst, From: from}
}

// Raw returns the exact bytes under a reference.
func (e names) Raw(ctx context.Context, ref registry.Ref, from string) ([]byte, error) {
	object, err := e.open(ctx, ref, lookup(from))
	if err != nil {
		return nil, err
	}
	return object.Root.Body, object.Close()
}

// Exists returns what a name is. If nothing has that name, the error wraps registry.ErrNotFound.
func (e names) Exists(ctx context.Context, ref registry.Ref) (publish.Made, error) {
	object, err := e.open(ctx, ref, lookup(""))
	if err != nil {
		return publish.Made{}, err
	}
	return publish.MadeAt(object.Ref, object.Root.Digest), object.Close()
}

func (e names) readOne(
	ctx context.Context, ref registry.Ref, o source.Options,
) (registry.Object, inspect.Report, error) {
	return e.readWaiting(ctx, ref, o, reading{})
}

// opened has what several references are, in their order. Close releases the files.
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

// reading says how the sources of a list are read.
type reading struct {
	wait          time.Duration            // how long to wait for missing sources
	ignoreMissing bool                     // leave missing sources out
	push          *publish.Push            // uploads what is in the sources while they are read; may be nil
	wanted        func(v1.Descriptor) bool // what to upload; nil means all
	overrides     []compose.Overrides      // one for each source, or none
	optional      []v1.Platform            // leave out sources of these that can't be read
}

// read opens all references at once and reads the tree under each. Errors are joined in the order of the references.
func (e names) read(ctx context.Context, refs []registry.Ref, o source.Options, r reading) (opened, error) {
	all := opened{make([]registry.Object, len(refs)), make([]inspect.Report, len(refs))}
	errs := make([]error, len(refs))
	var g errgroup.Group // the client limits the requests in flight
	for i, ref := range refs {
		g.Go(func() error {
			all.objects[i], all.reports[i], errs[i] = e.readWaiting(ctx, ref, o, r)
			return nil
		})
	}
	_ = g.Wait()
	e.forgive(refs, errs, r)
	if err := joinSources(errs); err != nil {
		return opened{}, errors.Join(err, all.Close())
	}
	return all, nil
}

func (e names) readWaiting(
	ctx context.Context, ref registry.Ref, o source.Options, r reading,
) (registry.Object, inspect.Report, error) {
	object, err := e.openWaiting(ctx, ref, o, r.wait)
	if err != nil {
		return object, inspect.Report{}, e.suggestTags(ctx, ref, err)
	}
	report, err := r.read(ctx, object)
	if err != nil {
		err = errors.Join(fmt.Errorf("reading %q: %w", object.Ref, err), object.Close())
		object, report = registry.Object{}, inspect.Report{}
	}
	return object, report, err
}

func (r reading) read(ctx context.Context, object registry.Object) (inspect.Report, error) {
	if r.push == nil {
		return inspect.Read(ctx, object)
	}
	return r.push.Read(ctx, object, r.wanted)
}

// openWaiting opens ref. While ref is missing, it tries again for up to wait.
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
			e.note("waiting up to %s for %s, which does not exist yet", wait, ref)
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

// open looks a name up. With source.RegistryFirst it looks for a bare name in drafts first: a list may be meant then.
// The sources of a list are never drafts.
func (e names) open(ctx context.Context, ref registry.Ref, o source.Options) (registry.Object, error) {
	mayBeDraft := ref.Transport == registry.TransportDraft ||
		ref.Bare && ref.MayBeDraft() && o.From == "" && o.Order == source.RegistryFirst
	if mayBeDraft {
		object, found, err := e.openDraft(ctx, ref)
		if found || ref.Transport == registry.TransportDraft {
			return object, err
		}
	}
	object, err := e.opener().Open(ctx, ref, o)
	e.sayMissing(object)
	switch {
	case err == nil:
	case mayBeDraft && errors.Is(err, registry.ErrNotFound) && !errors.Is(err, registry.ErrName):
		err = fmt.Errorf("no draft %s; %w", ref.At(registry.TransportDraft), err)
	case o.Order == source.RegistryFirst && ref.Transport == registry.TransportRegistry:
		err = e.hintHere(ctx, ref, err)
	}
	return object, err
}

// hintHere hints at what this machine has under a name, if the registry of that name fails.
func (e names) hintHere(ctx context.Context, ref registry.Ref, err error) error {
	if !errors.Is(err, registry.ErrNotFound) && !errors.Is(err, registry.ErrUnavailable) {
		return err
	}
	if _, absent := e.Drafts.Load(ctx, ref); absent == nil {
		return registry.WithHint(err, "a draft has this name: "+ref.At(registry.TransportDraft).String())
	}
	object, absent := e.Store.Get(ctx, ref.At(registry.TransportStore))
	if absent != nil {
		return err
	}
	return registry.WithHint(errors.Join(err, object.Close()),
		"the local store has this name: "+ref.At(registry.TransportStore).String())
}

// openDraft opens a draft, and reports whether there is one. It reads the sources again; if one has moved, that is an
// error.
func (e names) openDraft(ctx context.Context, ref registry.Ref) (object registry.Object, found bool, err error) {
	list, err := e.Drafts.Load(ctx, ref)
	if err != nil {
		return object, !errors.Is(err, registry.ErrNotFound), err
	}
	list, all, err := e.resolve(ctx, list)
	if err != nil {
		return object, true, err
	}
	object, err = list.Object()
	object.Closer = all
	return object, true, err
}

// resolve reads the sources of a draft and attaches their content to its entries. The caller closes what was opened.
func (e names) resolve(ctx context.Context, list compose.List) (compose.List, opened, error) {
	all, reports, err := e.readSources(ctx, list, reading{})
	if err != nil {
		return list, all, err
	}
	list, err = list.Resolve(reports)
	if err != nil {
		return list, opened{}, errors.Join(err, all.Close())
	}
	return list, all, nil
}

func (e names) readSources(
	ctx context.Context, list compose.List, r reading,
) (opened, map[registry.Ref]inspect.Report, error) {
	sources := list.Sources()
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst}, r)
	if err != nil {
		return all, nil, fmt.Errorf("reading the sources of draft %q: %w", list.Name, err)
	}
	reports := make(map[registry.Ref]inspect.Report, len(sources))
	for i, ref := range sources {
		reports[ref] = all.reports[i]
	}
	return all, reports, nil
}
