package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// CreateOptions are the options of Create.
type CreateOptions struct {
	EditOptions
	PublishOptions
	List      registry.Ref
	Sources   []registry.Ref
	Overrides []compose.Overrides // one for each source, or none
	Push      bool
	To        []registry.Ref // more targets; they imply Push
	Sort      bool           // entries by platform, not as given
	SemVer    string         // version of the list; it implies Push and sets the tags
	// DropAnnotations leaves out the annotations of a source that is a list.
	DropAnnotations bool

	floating []string // tags that move with each version
}

// Create makes a list of all sources: a draft, or with Push a published list. If it fails, it leaves nothing behind.
func (e *Env) Create(ctx context.Context, o CreateOptions) (publish.Done, error) {
	if err := (compose.List{Name: o.List}).CheckSources(o.Sources); err != nil {
		return publish.Done{}, err
	}
	targets, err := e.targetsOf(ctx, &o)
	if err != nil {
		return publish.Done{}, err
	}
	if len(targets) == 0 {
		if err := o.checkDraft(); err != nil {
			return publish.Done{}, err
		}
	}
	push := e.publisher(o.Compression).Start(ctx, targets)
	defer push.Close()
	all, entries, err := e.entries(ctx, o.Sources, o.EditOptions, o.reading(push))
	if err != nil {
		return publish.Done{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	p := pushing{PublishOptions: o.PublishOptions, require: o.Require, force: o.Force, floating: o.floating}
	if o.Attestations == attestationsAsReferrers {
		if entries, p.also, err = publish.AsReferrers(ctx, entries); err != nil {
			return publish.Done{}, err
		}
		e.note("%d attestations become referrers of their images", len(p.also))
	}
	list, err := e.assemble(ctx, o, push, entries, all.reports)
	if err != nil {
		return publish.Done{}, err
	}
	if len(targets) == 0 {
		if err := e.prove(ctx, list.Report, o.DeepOptions, o.Force); err != nil {
			return publish.Done{}, err
		}
		return e.saveDraft(ctx, list, o.DryRun)
	}
	return e.publishList(ctx, push, list, targets, p)
}

// attestationsAsReferrers is the value of EditOptions.Attestations that makes referrers of entries.
const attestationsAsReferrers = "referrers"

// checkDraft refuses options that only a published list can have.
func (o CreateOptions) checkDraft() error {
	if o.Attestations == attestationsAsReferrers {
		return registry.WithHint(
			registry.Usagef("making the draft %q: only a published list can have referrers", o.List), "add --push",
		)
	}
	return o.draftOnly(o.List, "--push")
}

// reading returns how to read the sources: what is in them is uploaded to the targets meanwhile.
func (o CreateOptions) reading(push *publish.Push) reading {
	r := reading{overrides: o.Overrides}
	if !o.DryRun {
		r.push = push
	}
	if o.Attestations == string(compose.DropAttestations) {
		r.wanted = isImage
	}
	return r
}

// isImage reports whether a descriptor is that of an image, not of an attestation.
func isImage(d v1.Descriptor) bool {
	_, attestation := inspect.AttestationOf(d)
	return !attestation
}

// targetsOf returns where the list is published: at To, and under its name with Push or if that name has a registry.
func (e names) targetsOf(ctx context.Context, o *CreateOptions) ([]registry.Ref, error) {
	if o.SemVer != "" {
		return e.versionTargets(ctx, o)
	}
	var refs []registry.Ref
	if o.Push || len(o.To) > 0 && !o.List.Bare {
		refs = append(refs, o.List)
	}
	return inRegistries(append(refs, o.To...)...)
}

// versionTargets returns the tags of a version: the version itself, and major.minor, major and latest if they move
// forward by that. It renames the list to the version. NoClobber protects only the tag of the version: the others are
// meant to move.
func (e names) versionTargets(ctx context.Context, o *CreateOptions) ([]registry.Ref, error) {
	repository := o.List.At(registry.TransportRegistry)
	if err := publish.CheckVersion(o.SemVer); err != nil {
		return nil, registry.WithHint(err, "write --semver 1.4.2 or --semver v1.4.2-rc.1")
	}
	if err := repository.CheckTarget(); err != nil {
		return nil, err
	}
	existing, err := e.Client.Repository(repository, remote.PullPush).Tags(ctx)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, err
	}
	tags, kept := publish.VersionTags(o.SemVer, existing)
	e.sayAll(kept)
	var refs []registry.Ref
	for _, to := range append([]registry.Ref{repository}, o.To...) {
		for _, tag := range tags {
			refs = append(refs, to.WithTag(tag))
		}
	}
	o.List, o.floating = o.List.WithTag(tags[0]), tags[1:]
	return inRegistries(refs...)
}

// assemble makes a list of the entries and checks it.
func (e names) assemble(
	ctx context.Context, o CreateOptions, push *publish.Push, entries []compose.Entry, sources []inspect.Report,
) (compose.List, error) {
	current, err := push.Digests(ctx, o.List)
	if err != nil && len(push.Targets) == 1 {
		return compose.List{}, err // with several targets, the others go on
	}
	kind, err := compose.ParseType(o.Type)
	if err != nil {
		return compose.List{}, err
	}
	list, changes, err := compose.List{Name: o.List, Type: kind}.Add(entries, compose.AddOptions{
		OnDuplicate: compose.OnDuplicate(o.OnDuplicate), Current: current,
	})
	if err != nil {
		return compose.List{}, err
	}
	e.sayChanges(changes)
	if !o.NoFlatten {
		var notes []string
		missing := func(r inspect.Report) bool { return r.Root.Digest == (v1.Hash{}) } // IgnoreMissing allows that
		list, notes = list.Adopt(slices.DeleteFunc(slices.Clone(sources), missing), o.DropAnnotations)
		e.sayAll(notes)
	}
	if list = list.WithMissing(o.Optional); len(list.Missing()) > 0 {
		e.note("missing, and optional: %s", strings.Join(platform.FormatAll(list.Missing()), ", "))
	}
	if o.Sort {
		list = list.Sorted()
	}
	return e.finish(ctx, list, o.EditOptions)
}

// finish applies the options to the list and checks what must hold before anything is written.
func (e names) finish(ctx context.Context, list compose.List, o EditOptions) (compose.List, error) {
	list, changes, err := e.apply(ctx, list, o)
	if err != nil {
		return list, err
	}
	e.sayChanges(changes)
	e.sayMisspelled(list)
	return list, e.check(list, inspect.CheckOptions{Require: o.Require}, o.Force)
}

// saveDraft saves a draft and notes which platforms of the previous one it lacks.
func (e names) saveDraft(ctx context.Context, list compose.List, dryRun bool) (publish.Done, error) {
	root, err := list.Encode()
	if err != nil {
		return publish.Done{}, err
	}
	old, err := e.Drafts.Load(ctx, list.Name)
	if err == nil {
		e.sayAll(compose.Dropped(old, list))
	} else if !errors.Is(err, registry.ErrNotFound) {
		e.note("warning: replacing a draft that can't be read: %v", err)
	}
	done := publish.Done{Made: []publish.Made{publish.MadeAt(list.Name, root.Digest)}, Root: root}
	if dryRun {
		done.Plan = &compose.Plan{Root: root}
	} else {
		if err := e.Drafts.Save(ctx, list); err != nil {
			return publish.Done{}, err
		}
		e.note("draft %s; to publish it: mtool push %s", list.Name.Familiar(), pushable(list.Name))
	}
	return done, nil
}

// pushable returns what to push a draft by: its name, and one in a registry where the name of one word says none.
func pushable(name registry.Ref) string {
	short := name.Familiar()
	if strings.Contains(short, "/") {
		return short
	}
	return short + " HOST/" + short
}
