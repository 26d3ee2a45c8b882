package flow

import (
	"context"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// EditOptions are what create and amend share.
type EditOptions struct {
	Platforms    []v1.Platform // take only these of the sources; none takes all
	Require      []v1.Platform // the list must serve these
	Annotations  map[string]string
	Type         string // auto (default), oci, docker
	From         string // where sources are looked for: "" both, store, registry
	Attestations string // keep (default), drop
	Force        bool
}

// CreateOptions say what a list is made of.
type CreateOptions struct {
	EditOptions
	List    registry.Ref
	Sources []registry.Ref
	Push    bool
	DryRun  bool
}

// Create makes the list of all sources: a draft, or with Push a published list. A failed Create leaves nothing behind.
func (e *Env) Create(ctx context.Context, o CreateOptions) (Made, error) {
	if err := (compose.List{Name: o.List}).CheckSources(o.Sources); err != nil {
		return Made{}, err
	}
	state, cancel := e.announce(ctx, o.List, o.Push)
	defer cancel()
	all, entries, err := e.entries(ctx, o.Sources, o.EditOptions)
	if err != nil {
		return Made{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	target, err := state()
	if err != nil {
		return Made{}, err
	}
	kind, err := compose.ParseType(o.Type)
	if err != nil {
		return Made{}, err
	}
	list, changes, err := compose.List{Name: o.List, Type: kind}.Add(entries, compose.AddOptions{Present: present(target)})
	if err != nil {
		return Made{}, err
	}
	e.sayChanges(changes)
	if list, err = e.finish(list, o.EditOptions); err != nil {
		return Made{}, err
	}
	if o.Push {
		return e.publish(ctx, list, o.List, target, publishOptions{Require: o.Require, Force: o.Force, DryRun: o.DryRun})
	}
	return e.keep(ctx, list, o.DryRun)
}

// entries reads the sources and makes entries of them, with a line for each.
func (e *Env) entries(ctx context.Context, sources []registry.Ref, o EditOptions) (opened, []compose.Entry, error) {
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst, From: o.From, Compare: true})
	if err != nil {
		return all, nil, err
	}
	told := make([]compose.Told, len(sources))
	for i, ref := range sources {
		e.sayOther(all.objects[i])
		told[i] = compose.Told{Ref: remembered(ref, all.objects[i].Ref, o.From), Report: all.reports[i]}
	}
	entries, notes, err := compose.FromReports(told, compose.SelectOptions{
		Platforms: o.Platforms, Attestations: compose.Attestations(o.Attestations), Force: o.Force,
	})
	if err != nil {
		return opened{}, nil, errors.Join(err, all.Close())
	}
	e.sayAll(notes)
	return all, entries, nil
}

// remembered is the source as a draft keeps it: as told, but in the place where it was found when the name alone would
// find it elsewhere at another time.
func remembered(told, found registry.Ref, from string) registry.Ref {
	if from != "" || told.Bare {
		return told.At(found.Transport)
	}
	return told
}

// finish sets what create and amend set on the list itself and checks what must hold before anything is written.
func (e *Env) finish(list compose.List, o EditOptions) (compose.List, error) {
	if len(o.Annotations) > 0 {
		var err error
		if list, _, err = list.AnnotateList(compose.Edit{Annotations: o.Annotations}); err != nil {
			return list, err
		}
	}
	return list, e.check(list, o.Require, o.Force)
}

// check verifies the claims of a list that has been read.
func (e *Env) check(list compose.List, require []v1.Platform, force bool) error {
	report, err := list.Report()
	if err != nil {
		return err
	}
	return e.checkReport(report, require, force)
}

func (e *Env) checkReport(report inspect.Report, require []v1.Platform, force bool) error {
	findings := inspect.Check(report, inspect.CheckOptions{Require: require})
	for _, f := range findings {
		if f.State == inspect.Note {
			e.note("note: %s", f.Message)
		}
	}
	err := inspect.Failed(findings)
	if err != nil && force && len(require) == 0 {
		e.note("warning, kept by --force: %v", err)
		return nil
	}
	return err
}

// keep saves a draft and says what it no longer has of the draft before.
func (e *Env) keep(ctx context.Context, list compose.List, dryRun bool) (Made, error) {
	root, err := list.Encode()
	if err != nil {
		return Made{}, err
	}
	old, err := e.Drafts.Load(ctx, list.Name)
	if err == nil {
		e.sayAll(compose.Dropped(old, list))
	} else if !errors.Is(err, registry.ErrNotFound) {
		e.note("warning: replacing a draft that can't be read: %v", err)
	}
	if !dryRun {
		if err := e.Drafts.Save(ctx, list); err != nil {
			return Made{}, err
		}
		e.note("draft %s; to publish it: mtool push %s", list.Name.Familiar(), list.Name.Familiar())
	}
	return madeAt(list.Name, root.Digest), nil
}

func (e *Env) sayAll(lines []string) {
	for _, line := range lines {
		e.Transport.Note(line)
	}
}

func (e *Env) sayChanges(changes []compose.Change) {
	for _, c := range changes {
		e.Transport.Note(c.String())
	}
}

// sayOther says when the store and the registry have different images under the name that was asked for.
func (e *Env) sayOther(o registry.Object) {
	if o.Other != (v1.Hash{}) {
		e.note("note: %s is %s here (%s); the other place has %s", o.Ref.Name(), o.Root.Digest, o.Ref.Transport, o.Other)
	}
}

func platformNames(ps []v1.Platform) []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = platform.Format(p)
	}
	return names
}
