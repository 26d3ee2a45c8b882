package compose

import (
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Resolve attaches content to the entries of a draft. reports holds the current content of its Sources, by the
// reference in Sources. A source that has moved is an error that wraps ErrMoved and names both digests; all of them
// are reported in order. The list returned with the error has the content that was found, which is enough to show it.
func (l List) Resolve(reports map[registry.Ref]inspect.Report) (List, error) {
	var failed []error
	for _, source := range l.Sources() {
		if err := l.checkSource(source, reports); err != nil {
			failed = append(failed, fmt.Errorf("resolving %q of %q: %w", source, l.Name, err))
		}
	}
	out := l.with(slices.Clone(l.Entries))
	for i, e := range out.Entries {
		r, ok := reports[e.Source]
		if !ok {
			continue
		}
		found, err := attach(e, r)
		if err != nil && r.Root.Digest == e.SourceDigest {
			failed = append(failed, fmt.Errorf("resolving %q of %q: %w", e.Source, l.Name, err))
		}
		out.Entries[i] = found
	}
	return out, errors.Join(failed...)
}

func (l List) checkSource(source registry.Ref, reports map[registry.Ref]inspect.Report) error {
	r, ok := reports[source]
	if !ok {
		return fmt.Errorf("%w: it was not read", registry.ErrNotFound)
	}
	for _, e := range l.Entries {
		if e.Source == source && e.SourceDigest != r.Root.Digest {
			return fmt.Errorf("%w: it was %s, it is %s now", ErrSourceMoved, e.SourceDigest, r.Root.Digest)
		}
	}
	return nil
}

// attach finds the content of e and of its attestations in r. Missing content stays nil.
func attach(e Entry, r inspect.Report) (Entry, error) {
	if e.Artifact {
		return attachOther(e, r)
	}
	want := e.Digest()
	if e.OriginalDigest != (v1.Hash{}) {
		want = e.OriginalDigest
	}
	i := slices.IndexFunc(r.Images, func(img inspect.Image) bool { return img.Descriptor.Digest == want })
	if i < 0 {
		return e, fmt.Errorf("%w: it does not have %s any more", registry.ErrContent, e)
	}
	img := r.Images[i]
	e.Image, e.Origin, e.ConfigDigest = &img, r.Ref.Transport, img.ConfigOf.Digest
	if e.OriginalDigest != (v1.Hash{}) {
		return e.remade()
	}
	e.Attestations = slices.Clone(e.Attestations)
	belongings := slices.Concat(img.Attestations, img.Artifacts)
	for j, a := range e.Attestations {
		at := slices.IndexFunc(belongings, func(o inspect.Attachment) bool { return o.Descriptor.Digest == a.Digest() })
		if at < 0 {
			return e, fmt.Errorf("%w: it does not have %s of %s any more", registry.ErrContent, a.Digest(), e)
		}
		e.Attestations[j].Attachment, e.Attestations[j].Origin = &belongings[at], r.Ref.Transport
	}
	return e, nil
}

func attachOther(e Entry, r inspect.Report) (Entry, error) {
	if r.List != nil && r.Root.Digest == e.Digest() {
		e.Origin = r.Ref.Transport
		return e.asList(r), nil
	}
	for _, o := range r.Others {
		if o.Descriptor.Digest == e.Digest() {
			e.Attachment, e.Origin = &o, r.Ref.Transport
			return e, nil
		}
	}
	return e, fmt.Errorf("%w: it does not have %s any more", registry.ErrContent, e.Digest())
}

// Refresh takes the new content of sources that have moved, for the platforms that the list took from them, and then
// resolves the list like Resolve. Edits by annotate are applied again. A source that lost a platform is ErrNoMatch,
// and new content that FromReport would refuse is refused here too.
func (l List) Refresh(reports map[registry.Ref]inspect.Report, o SelectOptions) (List, []Change, []string, error) {
	out := l.with(slices.Clone(l.Entries))
	var (
		changes []Change
		notes   []string
		failed  []error
	)
	for _, source := range l.Sources() {
		r, ok := reports[source]
		if !ok || l.checkSource(source, reports) == nil {
			continue // Resolve reports a source that was not read
		}
		o.As, o.Platforms = source, nil
		fresh, ns, err := FromReport(r, o)
		notes = append(notes, ns...)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		cs, err := out.refresh(source, fresh)
		changes = append(changes, cs...)
		if err != nil {
			failed = append(failed, fmt.Errorf("refreshing %q of %q: %w", source, l.Name, err))
		}
	}
	if len(failed) > 0 {
		return List{}, nil, nil, errors.Join(failed...)
	}
	out, err := out.Resolve(reports)
	return out, changes, notes, err
}

// refresh replaces the entries of one source in place; l.Entries must be the caller's own.
func (l List) refresh(source registry.Ref, fresh []Entry) ([]Change, error) {
	var changes []Change
	for i, old := range l.Entries {
		if old.Source != source {
			continue
		}
		at := slices.IndexFunc(fresh, func(n Entry) bool { return succeeds(n, old) })
		if at < 0 {
			return nil, fmt.Errorf("%w: it has no %s any more; there is %s", ErrNoMatch, formatPlatform(old.Platform()),
				List{Entries: fresh}.has(false))
		}
		now := fresh[at]
		for _, d := range old.Edits {
			var err error
			if now, err = now.edit(d); err != nil {
				return nil, err
			}
		}
		now.Edits, now.RowNumber = old.Edits, old.RowNumber
		l.Entries[i] = now
		if now.Digest() == old.Digest() {
			changes = append(changes, Change{Action: Unchanged, Entry: now})
			continue
		}
		changes = append(changes, Change{Action: Replaced, Entry: now, Old: old.Digest()})
	}
	return changes, nil
}

// succeeds reports whether now is the successor of old: by the config's platform, since annotate may have changed the
// row's.
func succeeds(now, old Entry) bool {
	if old.Artifact || now.Artifact {
		return old.Artifact && now.Artifact && now.Descriptor.ArtifactType == old.Descriptor.ArtifactType &&
			(len(old.Edits) > 0 || formatPlatform(now.Platform()) == formatPlatform(old.Platform()))
	}
	if platform.IsUnknown(old.Config) || platform.IsUnknown(now.Config) {
		return sameSlot(now, old)
	}
	return platform.Equal(now.Config, old.Config) && (len(old.Edits) > 0 || compression(now) == compression(old))
}
