package publish

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/registry"
)

// Publish carries out plan. Done has the outcome of each target, even if there is an error. The error wraps
// ErrPartial if only some targets failed. Errors are of the kinds of package registry: ErrConflict for the guards.
func (p Publisher) Publish(ctx context.Context, plan compose.Plan, o Options) (Done, error) {
	push := p.Start(ctx, plan.Targets)
	defer push.Close()
	return push.Publish(ctx, plan, o)
}

// Publish carries plan out; see Publisher.Publish.
func (p *Push) Publish(ctx context.Context, plan compose.Plan, o Options) (Done, error) {
	if !p.Compression.IsZero() {
		var err error
		if plan, err = p.compress(ctx, plan); err != nil {
			return Done{}, err
		}
	}
	referrers := o.Also
	if o.Referrers {
		found, err := p.referrers(ctx, plan.Subjects)
		if err != nil {
			return Done{}, err
		}
		defer closeAll(found) //nolint:errcheck // opened for reading only
		referrers = slices.Concat(referrers, found)
	}
	if err := require(plan, o); err != nil {
		return Done{}, err
	}
	done := Done{Targets: make([]Outcome, len(plan.Targets))}
	for i, t := range plan.Targets {
		done.Targets[i] = p.checkTarget(ctx, plan, t, o)
	}
	if plan = withoutFailed(plan, done.Targets); len(plan.Uploads) == 0 {
		return done.finish()
	}
	if err := p.applyTagOptions(&plan, o); err != nil {
		return Done{}, err
	}
	done.Root = plan.Root
	p.notes(plan.Notes)
	if o.DryRun {
		done.Plan = &plan
		done.each(func(out *Outcome) { out.State = DryRun })
		return done.finish()
	}
	p.carryOut(ctx, plan, o, referrers, &done)
	return done.finish()
}

// checkTarget runs the guards on a target. A target that takes no list gets its image at once.
func (p *Push) checkTarget(ctx context.Context, plan compose.Plan, t registry.Ref, o Options) Outcome {
	out := Outcome{Target: t, State: Written}
	if t.Transport == registry.TransportEngine {
		out.Digest, out.Err = load(ctx, plan, t, o)
	} else {
		out.Err = p.guard(ctx, plan, t, o)
	}
	if out.Err != nil {
		out.State = Failed
	}
	return out
}

func load(ctx context.Context, plan compose.Plan, t registry.Ref, o Options) (v1.Hash, error) {
	if o.Load == nil {
		return v1.Hash{}, registry.Usagef("publishing to %q: it takes no list", t)
	}
	report, err := plan.Report()
	if err != nil {
		return v1.Hash{}, err
	}
	return o.Load(ctx, report, t)
}

// withoutFailed returns the plan for the targets that have not failed.
func withoutFailed(plan compose.Plan, outcomes []Outcome) compose.Plan {
	var uploads []compose.Upload
	for _, u := range plan.Uploads {
		left := func(fits func(Outcome) bool) bool {
			return slices.ContainsFunc(outcomes, func(o Outcome) bool {
				return o.State != Failed && o.Target.SameRepository(u.Repository) && fits(o)
			})
		}
		if !left(func(Outcome) bool { return true }) {
			continue
		}
		u.Tags = slices.DeleteFunc(slices.Clone(u.Tags), func(t compose.Tag) bool {
			return !left(func(o Outcome) bool { return o.Target.Tag == t.Name })
		})
		uploads = append(uploads, u)
	}
	plan.Uploads = uploads
	return plan
}

// applyTagOptions applies the options about tags to the plan.
func (p *Push) applyTagOptions(plan *compose.Plan, o Options) error {
	for i := range plan.Uploads {
		u := &plan.Uploads[i]
		var names []string
		for j, t := range u.Tags {
			u.Tags[j].Fixed = t.Fixed || o.NoClobber && !slices.Contains(o.Floating, t.Name)
			names = append(names, t.Name)
		}
		if o.ChildTags == "" || !plan.Root.IsList() || u.Repository.IsFile() {
			continue
		}
		report, err := plan.Report()
		if err != nil {
			return err
		}
		if u.ChildTags, err = compose.ChildTags(report, o.ChildTags, names); err != nil {
			return err
		}
	}
	return nil
}

// carryOut uploads the content to all targets, then writes the tags, and records the outcomes in done.
func (p *Push) carryOut(ctx context.Context, plan compose.Plan, o Options, referrers []Referrer, done *Done) {
	uploads := make([]*upload, len(plan.Uploads))
	var g errgroup.Group // an error of one upload does not end the others
	for i, u := range plan.Uploads {
		g.Go(func() error {
			uploads[i] = p.uploadTo(ctx, u, o, referrers)
			return nil
		})
	}
	_ = g.Wait()
	for _, u := range uploads {
		u.end(ctx)
		if u.err == nil {
			p.note(u.summary())
		}
		done.each(u.report)
	}
}

// uploadTo opens the target of an upload and uploads the content.
func (p *Push) uploadTo(ctx context.Context, u compose.Upload, o Options, referrers []Referrer) *upload {
	to, finish, err := p.target(u.Repository)
	if err != nil {
		return &upload{Upload: u, err: err}
	}
	w := newUpload(u, to, UploadOptions{
		Note: p.Note, Confirm: o.Confirm, Force: o.Force && !u.Root.IsList(), Existing: p.existing(ctx, u),
	})
	w.finish = finish
	err = w.uploadContent(ctx)
	if err == nil {
		err = p.putReferrers(ctx, referrers, u.Repository, to)
	}
	if err != nil {
		w.err = finish(err)
	}
	return w
}

// existing returns what the tags of an upload are, as far as they were looked up. A tag that could not be read is
// left out.
func (p *Push) existing(ctx context.Context, u compose.Upload) map[string]v1.Descriptor {
	found := map[string]v1.Descriptor{}
	for ref := range p.tags {
		if ref.SameRepository(u.Repository) {
			if now, err := p.before(ctx, ref); err == nil {
				found[ref.Tag] = now.Descriptor()
			}
		}
	}
	return found
}
