package app

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/archive"
)

// PublishOptions are the options that all commands that publish share.
type PublishOptions struct {
	DryRun    bool
	Confirm   bool // read the images back before a tag is written, and the tag after
	NoClobber bool // it is an error if a tag exists and differs
	ByDigest  bool // write no tag
	MayDrop   bool // a published list may lose platforms without --require or --force
	// KeepChildTags is the template of a tag for every image of the list, "" for none; see compose.Expand.
	KeepChildTags string
	Compression   publish.Compression
	// DeepOptions are whether the binaries are checked before anything is written.
	DeepOptions
}

// draftOnly refuses options about publishing for a command that only changes a draft. flag would make it publish.
func (o PublishOptions) draftOnly(name registry.Ref, flag string) error {
	if !o.Confirm && !o.NoClobber && !o.ByDigest && o.KeepChildTags == "" && o.Compression.IsZero() {
		return nil
	}
	return registry.WithHint(
		registry.Usagef(
			"making the draft %q: --confirm, --no-clobber, --push-by-digest, --keep-child-tags and --compression apply to publishing",
			name),
		"add "+flag,
	)
}

// targets returns refs for a plan: if no tag is written, each repository once.
func (o PublishOptions) targets(refs []registry.Ref) []registry.Ref {
	if !o.ByDigest {
		return refs
	}
	var all []registry.Ref
	seen := map[string]bool{}
	for _, ref := range refs {
		if ref.Transport == registry.TransportRegistry {
			if ref.Tag = ""; seen[ref.Repository()] {
				continue
			}
			seen[ref.Repository()] = true
		}
		all = append(all, ref)
	}
	return all
}

// pushing is how one list or image is published.
type pushing struct {
	PublishOptions
	require   []v1.Platform // what the list must serve; if it does, other platforms may be dropped
	force     bool
	engine    v1.Platform        // of the image for Docker Engine; zero means the engine's
	referrers bool               // copy what refers to the images
	also      []publish.Referrer // publish these too
	floating  []string           // tags that move although NoClobber is set
}

// publisher returns a Publisher for every kind of target.
func (e names) publisher(c publish.Compression) publish.Publisher {
	return publish.Publisher{
		Client: e.Client, Note: e.tell, Create: e.writable, Compression: c,
		Stage: e.Store.Stage,
		Open: func(ctx context.Context, ref registry.Ref) (registry.Object, error) {
			return e.open(ctx, ref, lookup(""))
		},
	}
}

// inRegistries returns refs as targets: the name of a draft means the registry in it. A name that can't be meant for
// Docker Hub is an error.
func inRegistries(refs ...registry.Ref) ([]registry.Ref, error) {
	all := make([]registry.Ref, len(refs))
	errs := make([]error, len(refs))
	for i, ref := range refs {
		if ref.Transport == registry.TransportRegistry || ref.Transport == registry.TransportDraft {
			ref = ref.At(registry.TransportRegistry)
		}
		all[i], errs[i] = ref, ref.CheckTarget()
	}
	return all, errors.Join(errs...)
}

// publishList publishes a resolved list to all targets.
func (e *Env) publishList(
	ctx context.Context, push *publish.Push, list compose.List, targets []registry.Ref, o pushing,
) (publish.Done, error) {
	plan, err := compose.NewPlan(list, o.targets(targets))
	if err != nil {
		return publish.Done{}, err
	}
	return e.publish(ctx, push, plan, o)
}

// publishReport copies what was read to all targets, unchanged.
func (e *Env) publishReport(
	ctx context.Context, push *publish.Push, report inspect.Report, targets []registry.Ref, o pushing,
) (publish.Done, error) {
	plan, err := compose.PlanOf(report, o.targets(targets))
	if err != nil {
		return publish.Done{}, err
	}
	return e.publish(ctx, push, plan, o)
}

// publish checks the binaries, if o says so, and carries out the plan.
func (e *Env) publish(ctx context.Context, push *publish.Push, plan compose.Plan, o pushing) (publish.Done, error) {
	if err := e.prove(ctx, plan.Report, o.DeepOptions, o.force); err != nil {
		return publish.Done{}, err
	}
	return push.Publish(ctx, plan, publish.Options{
		DryRun: o.DryRun, Confirm: o.Confirm, Force: o.force, Require: o.require, MayDrop: o.MayDrop,
		NoClobber: o.NoClobber, Floating: o.floating, ChildTags: o.KeepChildTags, Referrers: o.referrers, Also: o.also,
		Load: func(ctx context.Context, content inspect.Report, to registry.Ref) (v1.Hash, error) {
			return e.loadEngine(ctx, content, to, o.engine, o.DryRun)
		},
	})
}

// publishOne copies what was read to one target of any kind, unchanged.
func (e *Env) publishOne(ctx context.Context, report inspect.Report, to registry.Ref, o pushing) (publish.Made, error) {
	push := e.publisher(o.Compression).Start(ctx, []registry.Ref{to})
	defer push.Close()
	done, err := e.publishReport(ctx, push, report, []registry.Ref{to}, o)
	if err != nil {
		return publish.Made{}, err
	}
	return done.Made[0], nil
}

// writable opens a target that is not in a registry. finish closes it; given an error, it undoes what it can.
func (e names) writable(ref registry.Ref) (to registry.Target, finish func(error) error, err error) {
	if ref.Transport == registry.TransportStore {
		w := e.Store.Writer(ref)
		return w, func(err error) error { return errors.Join(err, w.Close()) }, nil
	}
	w, err := archive.Create(ref)
	if err != nil {
		return nil, nil, err
	}
	return w, func(err error) error {
		if err != nil {
			return errors.Join(err, w.Abort())
		}
		return w.Close()
	}, nil
}
