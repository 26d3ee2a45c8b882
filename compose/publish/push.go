package publish

import (
	"context"
	"errors"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/remote"
)

// Push is one publishing, from the first look at its targets to the end.
type Push struct {
	Publisher
	early   earlyUploads
	stop    context.CancelFunc
	Targets []registry.Ref
	tags    map[registry.Ref]func() (registry.Manifest, error) // what they are; blocks until the answer is there
}

// Start looks up the tags of the targets and gets tokens for writing, without waiting for the answers. The caller
// must Close the Push when done with it.
func (p Publisher) Start(ctx context.Context, targets []registry.Ref) *Push {
	ctx, stop := context.WithCancel(ctx)
	push := &Push{Publisher: p, stop: stop, Targets: targets, tags: map[registry.Ref]func() (registry.Manifest, error){}}
	push.early = newEarly(ctx, push)
	for _, t := range targets {
		if t.Transport == registry.TransportRegistry {
			p.Client.Repository(t, remote.PullPush)
		}
	}
	for _, t := range targets {
		if t.Transport == registry.TransportRegistry && t.Tag != "" {
			ask := sync.OnceValues(func() (registry.Manifest, error) { return p.tag(ctx, t) })
			push.tags[t] = ask
			go ask() //nolint:errcheck // whoever waits for it gets the error
		}
	}
	return push
}

// Close cancels early uploads that were not used.
func (p *Push) Close() {
	p.stop()
	p.early.end()
}

// Seen records what a tag is, if the caller knows.
func (p *Push) Seen(ref registry.Ref, m registry.Manifest) {
	p.tags[ref] = func() (registry.Manifest, error) { return m, nil }
}

// Digests returns the current digests of the targets called name.
func (p *Push) Digests(ctx context.Context, name registry.Ref) ([]v1.Hash, error) {
	var found []v1.Hash
	for _, t := range p.Targets {
		if t.Name() != name.Name() {
			continue
		}
		now, err := p.before(ctx, t)
		if err != nil {
			return nil, err
		}
		if now.Digest != (v1.Hash{}) {
			found = append(found, now.Digest)
		}
	}
	return found, nil
}

// tag returns the manifest of a tag; zero if there is no such tag.
func (p Publisher) tag(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	m, err := p.Client.Repository(ref, remote.PullPush).Tag(ctx, ref.Tag)
	if errors.Is(err, registry.ErrNotFound) {
		err = nil
	}
	return m, err
}

// before returns what a target has before it is written; zero if that is nothing, or unknown.
func (p *Push) before(ctx context.Context, ref registry.Ref) (registry.Manifest, error) {
	if ask, asked := p.tags[ref]; asked {
		return ask()
	}
	if ref.Transport != registry.TransportRegistry || ref.Tag == "" {
		return registry.Manifest{}, nil
	}
	return p.tag(ctx, ref)
}

// Publish carries plan out; see Publisher.Publish.
func (p *Push) Publish(ctx context.Context, plan compose.Plan, o Options) (Done, error) {
	along := o.Also
	if o.Referrers {
		found, err := p.referrers(ctx, plan.Subjects)
		if err != nil {
			return Done{}, err
		}
		defer closeAll(found) //nolint:errcheck // opened for reading only
		along = slices.Concat(along, found)
	}
	if err := require(plan, o); err != nil {
		return Done{}, err
	}
	done := Done{Targets: make([]Outcome, len(plan.Targets))}
	for i, t := range plan.Targets {
		done.Targets[i] = p.look(ctx, plan, t, o)
	}
	if plan = withoutFailed(plan, done.Targets); len(plan.Uploads) == 0 {
		return done.finish()
	}
	if err := p.prepare(&plan, o); err != nil {
		return Done{}, err
	}
	done.Root = plan.Root
	p.notes(plan.Notes)
	if o.DryRun {
		done.Plan = &plan
		done.each(func(out *Outcome) { out.State = Planned })
		return done.finish()
	}
	p.carryOut(ctx, plan, o, along, &done)
	return done.finish()
}

// look runs the guards on a target. A target that takes no list gets its image at once.
func (p *Push) look(ctx context.Context, plan compose.Plan, t registry.Ref, o Options) Outcome {
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

// prepare applies the options about tags to the plan.
func (p *Push) prepare(plan *compose.Plan, o Options) error {
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
func (p *Push) carryOut(ctx context.Context, plan compose.Plan, o Options, along []Referrer, done *Done) {
	uploads := make([]*upload, len(plan.Uploads))
	var g errgroup.Group // an error of one upload does not end the others
	for i, u := range plan.Uploads {
		g.Go(func() error {
			uploads[i] = p.begin(ctx, u, o, along)
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
