package compose

import (
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// OnDuplicate is what happens to a second entry for one platform.
type OnDuplicate string

// The policies. The zero value is DuplicateError; Replace applies it to the new entries only.
const (
	DuplicateError   OnDuplicate = "error"
	DuplicateReplace OnDuplicate = "replace"
	DuplicateKeep    OnDuplicate = "keep"
)

// AddOptions are the options of Add and Replace.
type AddOptions struct {
	OnDuplicate OnDuplicate
	// Current are the digests that the list's name has now. They identify the list among its own sources. Base always
	// counts as one of them.
	Current []v1.Hash
}

// Add puts entries at the end of the list. Two entries of one platform are refused (ErrDuplicate) unless they differ
// in os.version or os.features, or are copies of one image that differ in a compression annotation; a digest that
// occurs twice becomes one entry, and a Change reports it. A list among its own sources is ErrSelf. All duplicates
// are reported at once.
func (l List) Add(entries []Entry, o AddOptions) (List, []Change, error) {
	if err := l.checkSelf(entries, o.Current); err != nil {
		return List{}, nil, err
	}
	return l.insert(entries, o.OnDuplicate)
}

// Replace amends the list: an entry replaces the one with its platform, and that one's copies in other compressions,
// or is appended. Two new entries with one platform are refused as in Add.
func (l List) Replace(entries []Entry, o AddOptions) (List, []Change, error) {
	fresh, folded, err := List{Name: l.Name, Base: l.Base}.Add(entries, o)
	if err != nil {
		return List{}, nil, err
	}
	policy := o.OnDuplicate
	if policy == "" {
		policy = DuplicateReplace
	}
	out, changes, err := l.insert(fresh.Entries, policy)
	out = out.WithMissing(nil)
	folded = slices.DeleteFunc(folded, func(c Change) bool { return c.Action != Folded })
	return out, append(changes, folded...), err
}

func (l List) insert(entries []Entry, policy OnDuplicate) (List, []Change, error) {
	b := insertion{name: l.Name, entries: slices.Clone(l.Entries), policy: policy}
	var (
		changes []Change
		failed  []error
	)
	for _, e := range entries {
		cs, err := b.put(e)
		if err != nil {
			failed = append(failed, fmt.Errorf("adding to %q: %w", l.Name, err))
		}
		changes = append(changes, cs...)
	}
	if len(failed) > 0 {
		return List{}, nil, errors.Join(failed...)
	}
	return l.with(b.entries), changes, nil
}

// insertion is the state of one Add.
type insertion struct {
	name    registry.Ref
	entries []Entry
	policy  OnDuplicate
}

func (b *insertion) put(e Entry) ([]Change, error) {
	same := slices.IndexFunc(b.entries, func(o Entry) bool { return o.Digest() == e.Digest() })
	if same >= 0 && b.alike(same, e) {
		return []Change{b.fold(same, e)}, nil
	}
	slot := slices.IndexFunc(b.entries, func(o Entry) bool { return sameSlot(o, e) })
	if slot < 0 {
		slot = slices.IndexFunc(b.entries, func(o Entry) bool { return rival(o, e) })
	}
	if slot < 0 {
		slot = same
	}
	if slot < 0 || b.policy == DuplicateKeep {
		b.entries = append(b.entries, e)
		return []Change{{Action: Added, Entry: e}}, nil
	}
	if b.policy == DuplicateReplace {
		return append([]Change{b.replace(slot, e)}, b.dropCopies(slot)...), nil
	}
	return nil, duplicate(b.entries[slot], e)
}

// dropCopies removes the copies, in other compressions, of the image that the entry at i has replaced: a client that
// prefers such a copy would keep pulling the old image.
func (b *insertion) dropCopies(i int) []Change {
	var changes []Change
	now := b.entries[i]
	b.entries = slices.DeleteFunc(b.entries, func(o Entry) bool {
		old := o.Digest() != now.Digest() && rival(o, now)
		if old {
			changes = append(changes, Change{Action: Removed, Entry: o, Note: "the replaced image in another compression"})
		}
		return old
	})
	return changes
}

// alike reports whether e, which names the same content as the entry at i, also makes the same claims about it.
func (b *insertion) alike(i int, e Entry) bool {
	o := b.entries[i]
	return sameSlot(o, e) || formatPlatform(o.Platform()) == formatPlatform(e.Platform()) &&
		compression(o) == compression(e)
}

// fold keeps the existing row, which may have been edited, and adds the newer source and missing attestations.
func (b *insertion) fold(i int, e Entry) Change {
	was := b.entries[i]
	now := was
	now.Source, now.SourceDigest, now.Origin = e.Source, e.SourceDigest, e.Origin
	now.Config, now.Image, now.Attachment = e.Config, e.Image, e.Attachment
	now.Attestations = slices.Clone(was.Attestations)
	for _, a := range e.Attestations {
		j := slices.IndexFunc(now.Attestations, func(o Entry) bool { return o.Digest() == a.Digest() })
		if j < 0 {
			now.Attestations = append(now.Attestations, a)
			continue
		}
		a.RowNumber = now.Attestations[j].RowNumber
		now.Attestations[j] = a
	}
	b.entries[i] = now
	if b.policy == DuplicateReplace && len(now.Attestations) == len(was.Attestations) {
		return Change{Action: Unchanged, Entry: now}
	}
	return Change{Action: Folded, Entry: now, Note: "the same image as from " + was.Source.String()}
}

func (b *insertion) replace(i int, e Entry) Change {
	e.RowNumber = b.entries[i].RowNumber
	c := Change{Action: Replaced, Entry: e, Old: b.entries[i].Digest()}
	if len(b.entries[i].Edits) > 0 {
		c.Note = "what annotate had set on the old entry is gone"
	}
	b.entries[i] = e
	return c
}

func duplicate(a, b Entry) error {
	if a.Digest() == b.Digest() {
		return fmt.Errorf("%w: %s (from %q) is the same image as %s (from %q)", ErrDuplicate, b, b.From(),
			formatPlatform(a.Platform()), a.From())
	}
	what := ""
	if compression(a) != compression(b) {
		what = ", which are different builds in different compressions"
	}
	return fmt.Errorf("%w: %s is %s (from %q) and %s (from %q)%s", ErrDuplicate, formatPlatform(b.Platform()),
		a.Digest(), a.From(), b.Digest(), b.From(), what)
}

// Distinct returns ErrDuplicate if clients can't tell two entries apart.
func (l List) Distinct() error {
	_, _, err := List{Name: l.Name}.insert(l.Entries, DuplicateError)
	return err
}

// CheckSources looks for the list's own name among its sources (ErrSelf) before any of them is opened. Add checks
// again, digests too.
func (l List) CheckSources(sources []registry.Ref) error {
	for _, s := range sources {
		if l.isNamed(s) {
			return l.self(s)
		}
	}
	return nil
}

func (l List) isNamed(s registry.Ref) bool {
	return l.shares(s) && s.Tag == l.Name.Tag && s.Digest == l.Name.Digest
}

// shares reports whether s is in the list's repository, wherever that is.
func (l List) shares(s registry.Ref) bool {
	return !s.IsFile() && s.Repository() == l.Name.Repository()
}

func (l List) self(s registry.Ref) error {
	return fmt.Errorf("adding %q to %q: %w", s, l.Name, ErrSelf)
}

// checkSelf finds the list among its own sources. A digest counts only if the source names that digest in the list's
// own repository: the same content under another name is an ordinary source, as when a version is promoted to latest.
func (l List) checkSelf(entries []Entry, present []v1.Hash) error {
	if l.Base.Body != nil {
		present = append(slices.Clone(present), l.Base.Digest)
	}
	for _, e := range entries {
		s := e.Source
		byDigest := s.Digest != (v1.Hash{}) && slices.Contains(present, s.Digest) && s.Digest != e.Digest()
		if l.isNamed(s) || byDigest && l.shares(s) {
			return l.self(s)
		}
	}
	return nil
}
