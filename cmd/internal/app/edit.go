package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/remote"
	"mtool/registry/source"
)

// AmendOptions are the options of Amend.
type AmendOptions struct {
	EditOptions
	PublishOptions
	List      registry.Ref
	Sources   []registry.Ref
	Overrides []compose.Overrides // one for each source, or none
	Published bool                // the list in its registry, not the draft
	To        []registry.Ref      // with Published: more targets
}

// AnnotateOptions are the options of Annotate.
type AnnotateOptions struct {
	PublishOptions
	List  registry.Ref
	Entry string // platform, digest or source; "" means the list itself
	// ArtifactType and Subject are as in EditOptions.
	ArtifactType *string
	Subject      *registry.Ref
	Edit         compose.Edit
	Published    bool
}

// Nothing reports whether there is nothing to change.
func (o AnnotateOptions) Nothing() bool {
	edit := o.Edit
	return edit.OS+edit.Arch+edit.Variant+edit.OSVersion == "" && o.ArtifactType == nil && o.Subject == nil &&
		len(edit.OSFeatures)+len(edit.Annotations)+len(edit.Unset) == 0
}

// RemoveOptions are the options of Remove.
type RemoveOptions struct {
	PublishOptions
	List      registry.Ref
	Entries   []string // platforms, digests or sources
	Published bool
	// IgnoreMissing ignores entries that the list does not have.
	IgnoreMissing bool
}

// Amend adds the sources to a list. They replace entries of the same platforms.
func (e *Env) Amend(ctx context.Context, o AmendOptions) (publish.Done, error) {
	if err := (compose.List{Name: o.List}).CheckSources(o.Sources); err != nil {
		return publish.Done{}, err
	}
	all, entries, err := e.entries(ctx, o.Sources, o.EditOptions, reading{overrides: o.Overrides})
	if err != nil {
		return publish.Done{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	edit := editing{
		published: o.Published, force: o.Force, content: o.needsContent(), to: o.To,
		PublishOptions: o.PublishOptions,
	}
	return e.edit(ctx, o.List, edit, func(l compose.List) (compose.List, []compose.Change, error) {
		if o.Type != "" && o.Type != "auto" {
			kind, err := compose.ParseType(o.Type)
			if err != nil {
				return l, nil, err
			}
			l.Type = kind
		}
		l, changes, err := l.Replace(entries, compose.AddOptions{OnDuplicate: compose.OnDuplicate(o.OnDuplicate)})
		if err != nil {
			return l, nil, err
		}
		l, more, err := e.apply(ctx, l, o.EditOptions)
		if err != nil {
			return l, nil, err
		}
		e.sayMisspelled(l)
		return l, append(changes, more...), e.requireNames(l, o.Require)
	})
}

// Annotate changes annotations or the platform of a list or of one entry.
func (e *Env) Annotate(ctx context.Context, o AnnotateOptions) (publish.Done, error) {
	edit := editing{published: o.Published, force: o.Edit.Force, content: o.Edit.Child, PublishOptions: o.PublishOptions}
	return e.edit(ctx, o.List, edit, func(l compose.List) (compose.List, []compose.Change, error) {
		if o.Entry == "" {
			return e.annotateList(ctx, l, o)
		}
		return l.Annotate(o.Entry, o.Edit)
	})
}

// annotateList changes the list itself.
func (e names) annotateList(
	ctx context.Context, l compose.List, o AnnotateOptions,
) (compose.List, []compose.Change, error) {
	if o.ArtifactType == nil && o.Subject == nil {
		return l.AnnotateList(o.Edit)
	}
	l, err := e.setMembers(ctx, l, EditOptions{ArtifactType: o.ArtifactType, Subject: o.Subject})
	if err != nil || len(o.Edit.Annotations)+len(o.Edit.Unset) == 0 {
		return l, []compose.Change{{Action: compose.Edited}}, err
	}
	return l.AnnotateList(o.Edit)
}

// Remove removes entries and their attestations from a list.
func (e *Env) Remove(ctx context.Context, o RemoveOptions) (publish.Done, error) {
	// platforms are removed on purpose
	edit := editing{published: o.Published, force: true, PublishOptions: o.PublishOptions}
	return e.edit(ctx, o.List, edit, func(l compose.List) (compose.List, []compose.Change, error) {
		return l.Remove(e.entriesToRemove(l, o)...)
	})
}

// entriesToRemove returns o.Entries; with IgnoreMissing, only those that the list has.
func (e notes) entriesToRemove(l compose.List, o RemoveOptions) []string {
	if !o.IgnoreMissing {
		return o.Entries
	}
	return slices.DeleteFunc(slices.Clone(o.Entries), func(entry string) bool {
		_, _, err := l.Remove(entry)
		missing := errors.Is(err, compose.ErrNoMatch)
		if missing {
			e.note("no such entry: %s", entry)
		}
		return missing
	})
}

// change is an edit of a list.
type change func(compose.List) (compose.List, []compose.Change, error)

// editing is which list is changed, and how.
type editing struct {
	PublishOptions
	published bool           // the list in its registry, not the draft
	to        []registry.Ref // more targets of a published list
	force     bool
	content   bool // the change needs the images of a draft, not only its rows
}

// edit changes the draft under its lock, or the published list.
func (e *Env) edit(ctx context.Context, name registry.Ref, o editing, change change) (publish.Done, error) {
	if o.published {
		return e.editPublished(ctx, name, o, change)
	}
	if err := o.draftOnly(name, "--published"); err != nil {
		return publish.Done{}, err
	}
	if o.DryRun {
		return e.tryEdit(ctx, name, o, change)
	}
	var done publish.Done
	_, err := e.Drafts.Update(ctx, name, func(l compose.List) (compose.List, error) {
		l, d, err := e.changed(ctx, l, o, change)
		done = d
		return l, err
	})
	return done, e.noDraft(name, err)
}

// tryEdit returns what an edit of a draft would make.
func (e *Env) tryEdit(ctx context.Context, name registry.Ref, o editing, change change) (publish.Done, error) {
	list, err := e.Drafts.Load(ctx, name)
	if err != nil {
		return publish.Done{}, e.noDraft(name, err)
	}
	_, done, err := e.changed(ctx, list, o, change)
	done.Plan = &compose.Plan{Root: done.Root}
	return done, err
}

// changed returns the list after the change, and notes what changed.
func (e names) changed(
	ctx context.Context, l compose.List, o editing, change change,
) (compose.List, publish.Done, error) {
	if o.content {
		resolved, all, err := e.resolve(ctx, l)
		if err != nil {
			return l, publish.Done{}, err
		}
		defer all.Close() //nolint:errcheck // opened for reading only
		l = resolved
	}
	l, changes, err := change(l)
	if err != nil {
		return l, publish.Done{}, err
	}
	e.sayChanges(changes)
	root, err := l.Encode()
	return l, publish.Done{Made: []publish.Made{publish.MadeAt(l.Name, root.Digest)}, Root: root}, err
}

func (e names) noDraft(name registry.Ref, err error) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	return registry.WithHint(err,
		fmt.Sprintf("make it with mtool create %s IMAGE…, or change the one in the registry with --published",
			name.Familiar()))
}

// errNoList means that the list to amend is not in its registry.
var errNoList = errors.New("no such list")

func (e *Env) editPublished(ctx context.Context, name registry.Ref, o editing, change change) (publish.Done, error) {
	targets, err := inRegistries(append([]registry.Ref{name}, o.to...)...)
	if err != nil {
		return publish.Done{}, err
	}
	name = targets[0]
	e.Client.Repository(name, remote.PullPush) // one token for reading and writing
	object, report, err := e.readOne(ctx, name, source.Options{Order: source.RegistryFirst, From: "registry"})
	if errors.Is(err, registry.ErrNotFound) {
		err = fmt.Errorf("%w: %w", errNoList, err)
	}
	if err != nil {
		return publish.Done{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	list, notes, err := compose.FromPublished(report)
	if err != nil {
		return publish.Done{}, err
	}
	e.sayAll(notes)
	list.Name = name
	list, changes, err := change(list)
	if err != nil {
		return publish.Done{}, err
	}
	e.sayChanges(changes)
	if err := e.check(list, inspect.CheckOptions{KeepRows: true}, o.force); err != nil {
		return publish.Done{}, err
	}
	push := e.publisher(o.Compression).Start(ctx, targets[1:])
	defer push.Close()
	push.Seen(name, object.Root)
	return e.publishList(ctx, push, list, targets, pushing{PublishOptions: o.PublishOptions, force: true})
}
