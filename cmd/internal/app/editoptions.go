package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
)

// EditOptions are the options that create and amend share.
type EditOptions struct {
	Platforms    []v1.Platform // take only these from the sources; none means all
	Require      []v1.Platform // the list must serve these
	Annotations  map[string]string
	Targeted     []compose.Targeted // annotations of the list, of entries and of images
	ArtifactType *string            // of the list; "" removes it, nil keeps it
	Subject      *registry.Ref      // what the list is about; the zero Ref removes it, nil keeps it
	Promote      bool               // annotations that all images share move to the list
	// PromoteLabels makes the labels that all images share annotations of the list.
	PromoteLabels bool
	FixConfig     bool          // correct configs whose platform is misspelled
	NoFlatten     bool          // a source that is a list becomes one entry
	Convert       bool          // convert images to Type
	Type          string        // of the list: auto (default), oci, docker
	From          string        // where sources are looked up: store, registry; "" means both
	Attestations  string        // keep (default), drop; for Create also referrers
	OnDuplicate   string        // error, replace, keep; "" means error, for Amend replace
	Wait          time.Duration // how long to wait for missing sources
	// IgnoreMissing leaves out missing sources, unless all are missing.
	IgnoreMissing bool
	Optional      []v1.Platform // the list is made without these if their sources are missing or can't be read
	Force         bool
}

// apply makes the changes of o to the list and its images, after its entries are complete.
func (e names) apply(ctx context.Context, l compose.List, o EditOptions) (compose.List, []compose.Change, error) {
	var all []compose.Change
	steps := []struct {
		wanted bool
		do     func(compose.List) (compose.List, []compose.Change, error)
	}{
		{o.FixConfig, func(l compose.List) (compose.List, []compose.Change, error) {
			return l.FixConfigs(o.Attestations == "keep")
		}},
		{o.Convert, o.convert},
		{o.PromoteLabels, e.promoteLabels},
		{true, func(l compose.List) (compose.List, []compose.Change, error) { return l.AnnotateTargeted(o.Targeted) }},
		{o.Promote, compose.List.PromoteAnnotations},
		{len(o.Annotations) > 0, func(l compose.List) (compose.List, []compose.Change, error) {
			return l.AnnotateList(compose.Edit{Annotations: o.Annotations})
		}},
		{true, func(l compose.List) (compose.List, []compose.Change, error) {
			l, err := e.setMembers(ctx, l, o)
			return l, nil, err
		}},
	}
	for _, step := range steps {
		if !step.wanted {
			continue
		}
		next, changes, err := step.do(l)
		if err != nil {
			return l, nil, err
		}
		l, all = next, append(all, changes...)
	}
	return l, all, nil
}

// convert converts all images to the type of the list.
func (o EditOptions) convert(l compose.List) (compose.List, []compose.Change, error) {
	kind, err := compose.ParseType(o.Type)
	if err != nil || kind == compose.TypeAuto {
		return l, nil, registry.Usagef("converting the images of %q: to which type, oci or docker?", l.Name)
	}
	return l.Convert(kind, o.Attestations == "keep")
}

// promoteLabels notes that there is nothing to promote.
func (e notes) promoteLabels(l compose.List) (compose.List, []compose.Change, error) {
	l, changes, err := l.PromoteLabels()
	if err == nil && len(changes) == 0 {
		e.note("note: the images of %s share no label", l.Name.Familiar())
	}
	return l, changes, err
}

// setMembers sets artifactType and subject.
func (e names) setMembers(ctx context.Context, l compose.List, o EditOptions) (compose.List, error) {
	var err error
	if o.ArtifactType != nil {
		if l, err = l.WithArtifactType(*o.ArtifactType); err != nil {
			return l, err
		}
	}
	if o.Subject == nil {
		return l, nil
	}
	var subject registry.Manifest
	if *o.Subject != (registry.Ref{}) {
		object, err := e.open(ctx, *o.Subject, lookup(o.From))
		if err != nil {
			return l, fmt.Errorf("looking up the subject: %w", err)
		}
		if err := object.Close(); err != nil {
			return l, err
		}
		subject = object.Root
	}
	return l.WithSubject(subject.Descriptor())
}

// needsContent reports whether apply needs the images, not only the rows of the list.
func (o EditOptions) needsContent() bool {
	return o.Convert || o.FixConfig || o.Promote || o.PromoteLabels ||
		slices.ContainsFunc(o.Targeted, func(t compose.Targeted) bool {
			return slices.Contains(t.Levels, compose.LevelChild)
		})
}
