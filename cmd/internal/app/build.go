package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/build"
	"mtool/compose/publish"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/engine"
)

// Build builds every platform into the store. Of several platforms it also makes a draft of their list. If one fails,
// nothing is stored. If a push fails, Built has what was made before.
func (e *Env) Build(ctx context.Context, o BuildOptions) (built Built, err error) {
	if err := readyResults(o.ResultFile); err != nil {
		return built, err
	}
	p, err := e.prepareBuild(ctx, o)
	if err != nil {
		return built, err
	}
	defer p.close()
	if err := checkPaths(o, p.spec.Context); err != nil {
		return built, err
	}
	if o.Load {
		if err := engine.CheckPlatforms(ctx, o.Platforms); err != nil {
			return built, err
		}
	}
	var finish func(error) error
	if p.spec.Exports, finish, err = openOutputs(o); err != nil {
		return built, err
	}
	if o.Reuse != (registry.Ref{}) {
		object, err := e.reusable(ctx, o.Reuse)
		if err != nil {
			return built, finish(err)
		}
		defer object.Close() //nolint:errcheck // opened for reading only
		p.opts.Reuse = &object
	}
	result, err := build.Run(ctx, p.spec, p.opts)
	if err = finish(err); err != nil {
		return built, err
	}
	built.Images, built.Missing = result.Images, result.Missing
	for _, m := range built.Missing {
		e.note("missing: %s, which is optional: %v", platform.Format(m.Platform), m.Err)
	}
	if len(o.Names) == 0 {
		defer func() { err = errors.Join(err, e.forget(context.WithoutCancel(ctx), result.Images)) }()
	}
	if err := e.name(ctx, o, &built); err != nil {
		return built, err
	}
	if err := e.deliver(ctx, o, &built); err != nil {
		return built, err
	}
	return built, e.record(o, built)
}

// reusable opens what was published before; its Root is zero if nothing was.
func (e names) reusable(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	object, err := e.open(ctx, ref, lookup(""))
	if errors.Is(err, registry.ErrNotFound) {
		e.note("%s does not exist yet: every platform is built", ref.Familiar())
		return registry.Object{Ref: ref}, nil
	}
	return object, err
}

// name gives the images their other names, and makes the list.
func (e *Env) name(ctx context.Context, o BuildOptions, built *Built) error {
	several := len(o.Platforms) > 1
	for _, image := range built.Images {
		if len(o.Names) == 0 {
			e.note("%s %s, %s", image.Verb(), platform.Format(image.Platform), image.How())
			continue
		}
		for _, name := range o.Names[1:] {
			if err := e.Store.Tag(ctx, ImageName(name, image.Platform, several), image.Manifest); err != nil {
				return err
			}
		}
		familiar := image.Ref.At(registry.TransportRegistry).Familiar()
		e.note("%s %s as %s, %s", image.Verb(), platform.Format(image.Platform), familiar, image.How())
		built.add(publish.MadeAt(image.Ref, image.Manifest.Digest))
	}
	if several && len(o.Names) > 0 && len(built.Images) > 0 {
		return e.listBuilt(ctx, o, built)
	}
	e.sayHidden(ctx, o.Names)
	return nil
}

// listBuilt makes a draft of the list under each name.
func (e *Env) listBuilt(ctx context.Context, o BuildOptions, built *Built) error {
	for _, name := range o.Names {
		create := CreateOptions{
			List: name, EditOptions: EditOptions{Annotations: o.ListAnnotations, Optional: built.MissingPlatforms()},
		}
		for _, image := range built.Images {
			create.Sources = append(create.Sources, ImageName(name, image.Platform, true).At(registry.TransportStore))
		}
		list, err := e.Create(ctx, create)
		if err != nil {
			return fmt.Errorf("making the list %q: %w", name, err)
		}
		built.add(list.Made...)
		if len(list.Made) > 0 {
			built.List = list.Made[0].Digest
		}
	}
	return nil
}

// sayHidden warns of drafts that have the name of an image that was built: names are looked up in drafts first.
func (e names) sayHidden(ctx context.Context, names []registry.Ref) {
	for _, name := range names {
		_, err := e.Drafts.Load(ctx, name)
		switch {
		case err == nil:
			e.note("warning: a draft also has the name %s and is used instead; to delete it: mtool rm draft:%s",
				name.Familiar(), name.Familiar())
		case !errors.Is(err, registry.ErrNotFound):
			e.note("warning: %v", err)
		}
	}
}

// deliver copies what was built from the store to its other destinations.
func (e *Env) deliver(ctx context.Context, o BuildOptions, built *Built) error {
	several := len(o.Platforms) > 1
	for _, name := range o.Names {
		push := PushOptions{List: name.At(registry.TransportStore), Force: o.Force}
		push.Compression = o.Compression
		if several {
			push.List = name.At(registry.TransportDraft)
		}
		for _, out := range o.Outputs {
			if out.Type == "oci" && o.fromStore() && name == o.Names[0] {
				to, err := registry.ParseRef("oci-archive:" + out.Dest + ":" + name.Tag)
				if err != nil {
					return registry.Usagef("output %q: %w", out.Dest, err)
				}
				push.Dests = append(push.Dests, to)
			}
		}
		if o.Push {
			push.Dests = append(push.Dests, name.At(registry.TransportRegistry))
		}
		if o.Load {
			push.Dests = append(push.Dests, name.At(registry.TransportEngine))
		}
		if len(push.Dests) == 0 {
			continue
		}
		done, err := e.Push(ctx, push)
		built.add(done.Made...)
		if err != nil {
			return err
		}
	}
	if o.ByDigest != (registry.Ref{}) {
		return e.pushByDigest(ctx, o, built)
	}
	return nil
}
