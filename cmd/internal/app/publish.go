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

// PublishOptions are what all commands that publish share.
type PublishOptions struct {
	DryRun    bool
	Confirm   bool // read the children back before a tag is written, and the tag after
	NoClobber bool // a tag that has something else is an error
	ByDigest  bool // write no tag
	MayDrop   bool // a published list may lose platforms without --require or --force
	// KeepChildTags is the template by which every image of the list gets a tag, "" for none; see compose.Expand.
	KeepChildTags string
	// DeepOptions say whether the binaries are checked before anything is written.
	DeepOptions
}

// draftOnly refuses options that say how to publish where only a draft is made or changed; flag is what would publish
// it.
func (o PublishOptions) draftOnly(name registry.Ref, flag string) error {
	if !o.Confirm && !o.NoClobber && !o.ByDigest && o.KeepChildTags == "" {
		return nil
	}
	return registry.WithHint(
		registry.Usagef(
			"making the draft %q: --confirm, --no-clobber, --push-by-digest and --keep-child-tags are about publishing", name),
		"add "+flag,
	)
}

// targets are the names that are planned for: without tags where only digests are pushed, each repository once.
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

// pushing says how one thing is published.
type pushing struct {
	PublishOptions
	require   []v1.Platform // what the list must serve; when it does, other platforms may be dropped
	force     bool
	engine    v1.Platform // of the image that Docker Engine gets; zero is its own
	referrers bool        // of the images go along
	also      []publish.Referrer
	floating  []string // tags that move although NoClobber is set
}

// publisher publishes to every kind of target.
func (e names) publisher() publish.Publisher {
	return publish.Publisher{
		Client: e.Client, Note: e.tell, Create: e.writable,
		Open: func(ctx context.Context, ref registry.Ref) (registry.Object, error) {
			return e.open(ctx, ref, lookup(""))
		},
	}
}

// inRegistries are targets as they are published to: what is called by the name of a draft goes to its registry.
func inRegistries(refs ...registry.Ref) []registry.Ref {
	all := make([]registry.Ref, len(refs))
	for i, ref := range refs {
		if ref.Transport == registry.TransportRegistry || ref.Transport == registry.TransportDraft {
			ref = ref.At(registry.TransportRegistry)
		}
		all[i] = ref
	}
	return all
}

// publishList pushes a resolved list to all targets.
func (e *Env) publishList(
	ctx context.Context, push *publish.Push, list compose.List, targets []registry.Ref, o pushing,
) (publish.Done, error) {
	plan, err := compose.NewPlan(list, o.targets(targets))
	if err != nil {
		return publish.Done{}, err
	}
	return e.publish(ctx, push, plan, o)
}

// publishReport copies what was read, as it is, to all targets.
func (e *Env) publishReport(
	ctx context.Context, push *publish.Push, report inspect.Report, targets []registry.Ref, o pushing,
) (publish.Done, error) {
	plan, err := compose.PlanOf(report, o.targets(targets))
	if err != nil {
		return publish.Done{}, err
	}
	return e.publish(ctx, push, plan, o)
}

// publish carries a plan out after the binaries were checked, where that is asked for.
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

// publishOne copies what was read to one target of any kind.
func (e *Env) publishOne(ctx context.Context, report inspect.Report, to registry.Ref, o pushing) (publish.Made, error) {
	push := e.publisher().Start(ctx, []registry.Ref{to})
	defer push.Close()
	done, err := e.publishReport(ctx, push, report, []registry.Ref{to}, o)
	if err != nil {
		return publish.Made{}, err
	}
	return done.Made[0], nil
}

// writable opens a target that is not in a registry; finish closes it, or takes back what it can after an error.
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
