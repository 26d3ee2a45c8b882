package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// AmendOptions say what is added to a list.
type AmendOptions struct {
	EditOptions
	List      registry.Ref
	Sources   []registry.Ref
	Published bool // the list in its registry, not the draft
}

// AnnotateOptions say what changes in a list or in one of its entries.
type AnnotateOptions struct {
	List      registry.Ref
	Entry     string // platform, digest or source; "" is the list itself
	Edit      compose.Edit
	Published bool
}

// Nothing says whether no change was asked for.
func (o AnnotateOptions) Nothing() bool {
	d := o.Edit
	return d.OS+d.Arch+d.Variant+d.OSVersion == "" && len(d.OSFeatures)+len(d.Annotations)+len(d.Unset) == 0
}

// RemoveOptions say which entries leave a list.
type RemoveOptions struct {
	List      registry.Ref
	Entries   []string
	Published bool
}

// Amend adds the sources to a list; an entry of the same platform is replaced.
func (e *Env) Amend(ctx context.Context, o AmendOptions) (Made, error) {
	if err := (compose.List{Name: o.List}).CheckSources(o.Sources); err != nil {
		return Made{}, err
	}
	all, entries, err := e.entries(ctx, o.Sources, o.EditOptions)
	if err != nil {
		return Made{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	return e.edit(ctx, o.List, o.Published, o.Force, func(l compose.List) (compose.List, []compose.Change, error) {
		if o.Type != "" && o.Type != "auto" {
			kind, err := compose.ParseType(o.Type)
			if err != nil {
				return l, nil, err
			}
			l.Type = kind
		}
		l, changes, err := l.Replace(entries, compose.AddOptions{})
		if err != nil {
			return l, nil, err
		}
		if l, err = annotated(l, o.Annotations); err != nil {
			return l, nil, err
		}
		return l, changes, requireNames(l, o.Require)
	})
}

// Annotate changes annotations or the platform of a list or of one entry.
func (e *Env) Annotate(ctx context.Context, o AnnotateOptions) (Made, error) {
	return e.edit(ctx, o.List, o.Published, o.Edit.Force, func(l compose.List) (compose.List, []compose.Change, error) {
		if o.Entry == "" {
			return l.AnnotateList(o.Edit)
		}
		return l.Annotate(o.Entry, o.Edit)
	})
}

// Remove takes entries and their attestations out of a list.
func (e *Env) Remove(ctx context.Context, o RemoveOptions) (Made, error) {
	const dropsOnPurpose = true
	return e.edit(ctx, o.List, o.Published, dropsOnPurpose, func(l compose.List) (compose.List, []compose.Change, error) {
		return l.Remove(o.Entries...)
	})
}

// change is an edit of a list.
type change func(compose.List) (compose.List, []compose.Change, error)

// edit changes the draft under its lock, or the published list and its tag at once.
func (e *Env) edit(ctx context.Context, name registry.Ref, published, force bool, edit change) (Made, error) {
	if published {
		return e.editPublished(ctx, name, force, edit)
	}
	var made Made
	_, err := e.Drafts.Update(ctx, name, func(l compose.List) (compose.List, error) {
		l, changes, err := edit(l)
		if err != nil {
			return l, err
		}
		e.sayChanges(changes)
		root, err := l.Encode()
		made = madeAt(l.Name, root.Digest)
		return l, err
	})
	if errors.Is(err, registry.ErrNotFound) {
		err = hinted{err, fmt.Sprintf("make it with mtool create %s IMAGE…, or change the one in the registry with --published", name.Familiar())}
	}
	return made, err
}

func (e *Env) editPublished(ctx context.Context, name registry.Ref, force bool, edit change) (Made, error) {
	target := name.At(registry.TransportRegistry)
	e.Client.Repository(target, registry.PullPush) // one token for reading and writing
	object, report, err := e.readOne(ctx, target, source.Options{Order: source.RegistryFirst, From: "registry"})
	if err != nil {
		return Made{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	list, notes, err := compose.FromPublished(report)
	if err != nil {
		return Made{}, err
	}
	e.sayAll(notes)
	list.Name = target
	list, changes, err := edit(list)
	if err != nil {
		return Made{}, err
	}
	e.sayChanges(changes)
	if err := e.check(list, nil, force); err != nil {
		return Made{}, err
	}
	return e.publish(ctx, list, target, targetState{Head: object.Root.Descriptor()}, publishOptions{Force: true})
}

// hinted is an error with the next action.
type hinted struct {
	error
	next string
}

func (h hinted) Unwrap() error { return h.error }
func (h hinted) Hint() string  { return h.next }

func annotated(l compose.List, annotations map[string]string) (compose.List, error) {
	if len(annotations) == 0 {
		return l, nil
	}
	l, _, err := l.AnnotateList(compose.Edit{Annotations: annotations})
	return l, err
}

// requireNames checks --require by what the rows claim, where not all content is read.
func requireNames(l compose.List, require []v1.Platform) error {
	for _, want := range require {
		if !slices.ContainsFunc(l.Platforms(), func(p v1.Platform) bool { return platform.Satisfies(p, want) }) {
			return fmt.Errorf("list %q: %w: missing %s; has %s", l.Name, inspect.ErrMismatch, platform.Format(want), strings.Join(platformNames(l.Platforms()), ", "))
		}
	}
	return nil
}
