package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// EditOptions are what create and amend share.
type EditOptions struct {
	Platforms    []v1.Platform // take only these of the sources; none takes all
	Require      []v1.Platform // the list must serve these
	Annotations  map[string]string
	Targeted     []compose.Targeted // annotations of the list, of entries and of images
	ArtifactType *string            // of the list; "" takes it away, nil leaves it
	Subject      *registry.Ref      // what the list is about; the zero Ref takes it away, nil leaves it
	Promote      bool               // annotations that all images have alike, to the list
	// PromoteLabels gives the list the labels that all images' configs have alike, as annotations.
	PromoteLabels bool
	FixConfig     bool          // configs whose platform is misspelled are mended
	NoFlatten     bool          // a source that is a list stays one, within the list
	Convert       bool          // images to the list's Type
	Type          string        // auto (default), oci, docker
	From          string        // where sources are looked for: "" both, store, registry
	Attestations  string        // keep (default), drop; for Create also referrers
	OnDuplicate   string        // error, replace, keep; "" is error, for amend replace
	Wait          time.Duration // how long a source may take to appear
	// IgnoreMissing leaves out sources that are not there, as long as one is.
	IgnoreMissing bool
	Force         bool
}

// CreateOptions say what a list is made of.
type CreateOptions struct {
	EditOptions
	PublishOptions
	List      registry.Ref
	Sources   []registry.Ref
	Overrides []compose.Overrides // what is said of each source; none where nothing is
	Push      bool
	To        []registry.Ref // more targets; they imply Push
	Sort      bool           // by platform, not as given
	SemVer    string         // the version that the list is; it implies Push, and gives the tags
	// DropAnnotations leaves out what the one list among the sources says of itself.
	DropAnnotations bool

	floating []string // tags that move with each version
}

// Create makes the list of all sources: a draft, or with Push a published list. A failed Create leaves nothing behind.
func (e *Env) Create(ctx context.Context, o CreateOptions) (publish.Done, error) {
	if err := (compose.List{Name: o.List}).CheckSources(o.Sources); err != nil {
		return publish.Done{}, err
	}
	targets, err := e.targetsOf(ctx, &o)
	if err != nil {
		return publish.Done{}, err
	}
	if len(targets) == 0 {
		if err := o.mayBeDraft(); err != nil {
			return publish.Done{}, err
		}
	}
	push := e.publisher().Start(ctx, targets)
	defer push.Close()
	all, entries, err := e.entries(ctx, o.Sources, o.EditOptions, o.reading(push))
	if err != nil {
		return publish.Done{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	how := pushing{PublishOptions: o.PublishOptions, require: o.Require, force: o.Force, floating: o.floating}
	if o.Attestations == attestationsAsReferrers {
		if entries, how.also, err = publish.AsReferrers(ctx, entries); err != nil {
			return publish.Done{}, err
		}
		e.note("%d attestations become referrers of their images", len(how.also))
	}
	list, err := e.assemble(ctx, o, push, entries, all.reports)
	if err != nil {
		return publish.Done{}, err
	}
	if len(targets) == 0 {
		if err := e.prove(ctx, list.Report, o.DeepOptions, o.Force); err != nil {
			return publish.Done{}, err
		}
		return e.keep(ctx, list, o.DryRun)
	}
	return e.publishList(ctx, push, list, targets, how)
}

// attestationsAsReferrers is the value of --attestations that takes them out of the list and makes them referrers of
// their images.
const attestationsAsReferrers = "referrers"

// mayBeDraft refuses what makes sense only where the list is published.
func (o CreateOptions) mayBeDraft() error {
	if o.Attestations == attestationsAsReferrers {
		return registry.WithHint(
			registry.Usagef("making the draft %q: referrers are made where the list is published", o.List), "add --push",
		)
	}
	return o.draftOnly(o.List, "--push")
}

// reading reads the sources, while the targets begin to take what is in them.
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

// isImage tells images from what is attested of them.
func isImage(d v1.Descriptor) bool {
	_, attestation := inspect.AttestationOf(d)
	return !attestation
}

// targetsOf are where the list is published: its own name, unless that is a short one and others are named, and the
// others.
func (e names) targetsOf(ctx context.Context, o *CreateOptions) ([]registry.Ref, error) {
	if o.SemVer != "" {
		return e.versionTargets(ctx, o)
	}
	var refs []registry.Ref
	if o.Push || len(o.To) > 0 && !o.List.Bare {
		refs = append(refs, o.List)
	}
	return inRegistries(append(refs, o.To...)...), nil
}

// versionTargets are the tags of a version: itself, and major.minor, major and latest where that moves them forward.
// The list gets the name of the version. With NoClobber only the version's own tag is kept from moving: the others are
// meant to.
func (e names) versionTargets(ctx context.Context, o *CreateOptions) ([]registry.Ref, error) {
	repository := o.List.At(registry.TransportRegistry)
	if err := publish.CheckVersion(o.SemVer); err != nil {
		return nil, registry.WithHint(err, "write --semver 1.4.2 or --semver v1.4.2-rc.1")
	}
	there, err := e.Client.Repository(repository, remote.PullPush).Tags(ctx)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, err
	}
	tags, kept := publish.VersionTags(o.SemVer, there)
	e.sayAll(kept)
	var refs []registry.Ref
	for _, to := range append([]registry.Ref{repository}, o.To...) {
		for _, tag := range tags {
			refs = append(refs, to.WithTag(tag))
		}
	}
	o.List, o.floating = o.List.WithTag(tags[0]), tags[1:]
	return inRegistries(refs...), nil
}

// assemble makes the list of its entries and checks it.
func (e names) assemble(
	ctx context.Context, o CreateOptions, push *publish.Push, entries []compose.Entry, sources []inspect.Report,
) (compose.List, error) {
	now, err := push.Digests(ctx, o.List)
	if err != nil && len(push.Targets) == 1 {
		return compose.List{}, err // of several targets the others go on
	}
	kind, err := compose.ParseType(o.Type)
	if err != nil {
		return compose.List{}, err
	}
	list, changes, err := compose.List{Name: o.List, Type: kind}.Add(entries, compose.AddOptions{
		OnDuplicate: compose.OnDuplicate(o.OnDuplicate), Current: now,
	})
	if err != nil {
		return compose.List{}, err
	}
	e.sayChanges(changes)
	if !o.NoFlatten {
		var notes []string
		list, notes = list.Adopt(slices.DeleteFunc(slices.Clone(sources), notThere), o.DropAnnotations)
		e.sayAll(notes)
	}
	if o.Sort {
		list = list.Sorted()
	}
	return e.finish(ctx, list, o.EditOptions)
}

// notThere reports whether a source is missing, which --ignore-missing allows.
func notThere(r inspect.Report) bool { return r.Root.Digest == (v1.Hash{}) }

// finish sets what create sets on the list itself and checks what must hold before anything is written.
func (e names) finish(ctx context.Context, list compose.List, o EditOptions) (compose.List, error) {
	list, changes, err := e.adorn(ctx, list, o)
	if err != nil {
		return list, err
	}
	e.sayChanges(changes)
	e.sayMisspelled(list)
	return list, e.check(list, inspect.CheckOptions{Require: o.Require}, o.Force)
}

// check verifies the claims of a list that has been read. One that nobody can run is not published, or made, by
// mistake.
func (e notes) check(list compose.List, o inspect.CheckOptions, force bool) error {
	report, err := list.Report()
	if err != nil {
		return err
	}
	if !force && !report.HasImage() {
		return registry.WithHint(
			fmt.Errorf("checking %q: %w: none of its %d entries is an image", list.Name, inspect.ErrMismatch, len(list.Entries)),
			"take it as it is with --force",
		)
	}
	return e.checkClaims(report, o, force)
}

func (e notes) checkReport(report inspect.Report, require []v1.Platform, force bool) error {
	return e.checkClaims(report, inspect.CheckOptions{Require: require}, force)
}

func (e notes) checkClaims(report inspect.Report, o inspect.CheckOptions, force bool) error {
	o.KeepSpelling = true
	findings := inspect.Check(report, o)
	for _, f := range findings {
		if f.State == inspect.Note {
			e.note("note: %s", f.Message)
		}
	}
	e.sayLabels(report)
	err := inspect.Failed(findings)
	if err != nil && force && len(o.Require) == 0 {
		e.note("warning, kept by --force: %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("checking %q: %w", report.Ref, err)
	}
	return nil
}

// keep saves a draft and says what it no longer has of the draft before.
func (e names) keep(ctx context.Context, list compose.List, dryRun bool) (publish.Done, error) {
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
		e.note("draft %s; to publish it: mtool push %s", list.Name.Familiar(), list.Name.Familiar())
	}
	return done, nil
}

func (e notes) sayAll(lines []string) {
	for _, line := range lines {
		e.tell(line)
	}
}

func (e notes) sayChanges(changes []compose.Change) {
	for _, c := range changes {
		e.tell(c.String())
	}
}

// sayOther says when the store and the registry have different images under the name that was asked for.
func (e notes) sayOther(o registry.Object) {
	if o.Other != (v1.Hash{}) {
		e.note("note: %s is %s here (%s); the other place has %s", o.Ref.Name(), o.Root.Digest, o.Ref.Transport, o.Other)
	}
}

// sayMissing names what a file does not hold of its list.
func (e notes) sayMissing(o registry.Object) {
	var names []string
	attestations := false
	for _, row := range o.Missing {
		if row.Platform == nil || row.Platform.OS == "unknown" {
			attestations = true
		} else {
			names = append(names, platform.Format(*row.Platform))
		}
	}
	if attestations {
		names = append(names, "the attestations")
	}
	if len(names) > 0 {
		e.note("note: %s does not hold all of its list, and is taken without %s", o.Ref, strings.Join(names, ", "))
	}
}

func platformNames(ps []v1.Platform) []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = platform.Format(p)
	}
	return names
}
