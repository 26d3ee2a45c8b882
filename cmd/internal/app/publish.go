package app

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
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

// publishing refuses options that say how to publish where only a draft is made or changed; flag is what would publish it.
func (o PublishOptions) publishing(name registry.Ref, flag string) error {
	if !o.Confirm && !o.NoClobber && !o.ByDigest && o.KeepChildTags == "" {
		return nil
	}
	return registry.WithHint(
		registry.Usagef("making the draft %q: --confirm, --no-clobber, --push-by-digest and --keep-child-tags are about publishing", name),
		"add "+flag,
	)
}

// publishOptions say how far a push may go beside.
type publishOptions struct {
	PublishOptions
	Require []v1.Platform // what the list must serve; when it does, other platforms may be dropped
	Force   bool
	engine  v1.Platform // of the image that Docker Engine gets; zero is its own
	// besides brings what goes along to a place before a tag is written there; nil for nothing.
	besides func(ctx context.Context, repository registry.Ref, to registry.Target) error
}

// content is what is published: how it is planned for some targets, what is in it, and what must hold for one of them.
type content struct {
	plan   func([]registry.Ref) (compose.Plan, error)
	report func() (inspect.Report, error)
	guard  func(context.Context, target) error
}

// listContent is a list whose entries are resolved.
func (e *Env) listContent(list compose.List, root registry.Manifest, o publishOptions) content {
	return content{
		plan:   func(refs []registry.Ref) (compose.Plan, error) { return compose.NewPlan(list, refs) },
		report: list.Report,
		guard: func(_ context.Context, t target) error {
			return e.guardDropped(list, root, t, o)
		},
	}
}

// asItIs is something read that is copied without a change.
func asItIs(report inspect.Report, o publishOptions) content {
	return content{
		plan:   func(refs []registry.Ref) (compose.Plan, error) { return compose.PlanOf(report, refs) },
		report: func() (inspect.Report, error) { return report, nil },
		guard: func(_ context.Context, t target) error {
			_, err := t.state(o.Force)
			return err
		},
	}
}

// publishList pushes a resolved list to all targets.
func (e *Env) publishList(ctx context.Context, list compose.List, targets []target, o publishOptions) (Done, error) {
	root, err := list.Encode()
	if err != nil {
		return Done{}, err
	}
	return e.publish(ctx, e.listContent(list, root, o), targets, o)
}

// publish brings the content to all targets first and writes the tags after. Targets are independent of each other: what
// became of each is in the answer, beside the error.
func (e *Env) publish(ctx context.Context, c content, targets []target, o publishOptions) (Done, error) {
	if err := e.prove(ctx, c, o); err != nil {
		return Done{}, err
	}
	if o.ByDigest {
		targets = withoutTags(targets)
	}
	done := Done{Targets: make([]Outcome, len(targets))}
	var refs []registry.Ref
	errs := eachTarget(ctx, targets, c.guard)
	for i, t := range targets {
		done.Targets[i] = Outcome{Target: t.ref, State: Written, Err: errs[i]}
		switch {
		case errs[i] != nil:
			done.Targets[i].State = Failed
		case t.ref.Transport == registry.TransportEngine:
			done.Targets[i] = e.toEngine(ctx, c, t.ref, o)
		default:
			refs = append(refs, t.ref)
		}
	}
	if len(refs) == 0 {
		return done.finish()
	}
	plan, err := e.planFor(c, refs, targets, o)
	if err != nil {
		return Done{}, err
	}
	done.Root = plan.Root
	e.sayAll(plan.Notes)
	if o.DryRun {
		done.Plan = &plan
		done.each(func(out *Outcome) { out.State = Planned })
		return done.finish()
	}
	e.carryOut(ctx, plan, targets, &done, o)
	return done.finish()
}

// toEngine loads one image into Docker Engine, which is no place for a list.
func (e *Env) toEngine(ctx context.Context, c content, ref registry.Ref, o publishOptions) Outcome {
	report, err := c.report()
	var made Made
	if err == nil {
		made, err = e.loadEngine(ctx, report, ref, o)
	}
	if err != nil {
		return Outcome{Target: ref, State: Failed, Err: err}
	}
	return Outcome{Target: ref, State: Written, Digest: made.Digest}
}

// planFor adds to the plan what the options ask for beside.
func (e *Env) planFor(c content, refs []registry.Ref, targets []target, o publishOptions) (compose.Plan, error) {
	plan, err := c.plan(refs)
	if err != nil {
		return plan, err
	}
	for i := range plan.Uploads {
		u := &plan.Uploads[i]
		for j := range u.Tags {
			u.Tags[j].Fixed = o.NoClobber || fixed(targets, u.Repository, u.Tags[j].Name)
		}
		if o.KeepChildTags == "" || !plan.Root.IsList() || u.Repository.IsFile() {
			continue
		}
		report, err := c.report()
		if err != nil {
			return plan, err
		}
		if u.ChildTags, err = compose.ChildTags(report, o.KeepChildTags, tagNames(u.Tags)); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// carryOut executes the plan and writes what became of it into done.
func (e *Env) carryOut(ctx context.Context, plan compose.Plan, targets []target, done *Done, o publishOptions) {
	work := make([]upload, len(plan.Uploads))
	var g errgroup.Group // an error of one upload does not end the others
	for i, u := range plan.Uploads {
		g.Go(func() error {
			work[i] = e.begin(ctx, u, targets, o)
			return nil
		})
	}
	_ = g.Wait()
	for i := range work {
		work[i].tag(ctx)
		e.sayUpload(&work[i])
		done.each(func(out *Outcome) { work[i].settle(out) })
	}
}

// publishReport copies what was read, as it is, to one target of any kind.
func (e *Env) publishReport(ctx context.Context, report inspect.Report, to registry.Ref, o publishOptions) (Made, error) {
	targets, cancel := e.announce(ctx, []registry.Ref{to})
	defer cancel()
	done, err := e.publish(ctx, asItIs(report, o), targets, o)
	if err != nil {
		return Made{}, err
	}
	return done.Made[0], nil
}
