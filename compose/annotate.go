package compose

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Annotate edits the row of the one entry that selector names (see Select), or all rows of an image in several
// compressions. Without Force an unknown platform is refused (registry.ErrUsage), and so is one that contradicts the
// config (ErrPlatform). A platform that another entry has is always refused (ErrDuplicate). An edit without effect is
// reported as Unchanged; an empty edit is registry.ErrUsage.
func (l List) Annotate(selector string, d Edit) (List, []Change, error) {
	fail := func(err error) (List, []Change, error) {
		return List{}, nil, fmt.Errorf("annotating %q in %q: %w", selector, l.Name, err)
	}
	if err := d.check(); err != nil {
		return fail(err)
	}
	found, err := l.selectImage(selector)
	if err != nil {
		return fail(err)
	}
	out := l
	var changes []Change
	for _, i := range found {
		var cs []Change
		if out, cs, err = out.annotateAt(i, d); err != nil {
			return fail(err)
		}
		changes = append(changes, cs...)
	}
	return out, changes, nil
}

func (l List) annotateAt(i int, d Edit) (List, []Change, error) {
	was := l.Entries[i]
	e, err := was.edit(d)
	if err != nil {
		return List{}, nil, err
	}
	if string(e.Row) == string(was.Row) {
		return l, []Change{{Action: Unchanged, Entry: e}}, nil
	}
	for j, o := range l.Entries {
		if j != i && rival(o, e) && !rival(o, was) {
			return List{}, nil, duplicate(o, e)
		}
	}
	e.Edits = append(slices.Clone(e.Edits), d)
	out := l.with(slices.Clone(l.Entries))
	out.Entries[i] = e
	c := Change{Action: Edited, Entry: e}
	if e.Digest() != was.Digest() {
		c.Note = "its digest was " + was.Digest().String()
		if gone := was.belongings(); gone != "" {
			c.Note += "; dropped: " + gone + " about that one"
		}
		if d.FixConfig || d.Config != nil {
			c.Note += "; signatures and referrers of that one don't carry over"
		}
	}
	return out, []Change{c}, nil
}

// AnnotateList edits the annotations of the list itself. An Edit that sets a platform is registry.ErrUsage.
func (l List) AnnotateList(d Edit) (List, []Change, error) {
	err := d.check()
	if err == nil && d.ofChild() {
		err = registry.WithHint(registry.Usagef("the list itself is not an image"), "name the entry after the list")
	}
	if err == nil && d.hasPlatform() {
		err = registry.WithHint(registry.Usagef("a list has no platform, its entries have"), "name the entry after the list")
	}
	if err != nil {
		return List{}, nil, fmt.Errorf("annotating %q: %w", l.Name, err)
	}
	now := d.annotations(l.Annotations)
	if maps.Equal(now, l.Annotations) {
		return l, []Change{{Action: Unchanged}}, nil
	}
	l.Annotations = now
	return l, []Change{{Action: Edited}}, nil
}

// edit returns e with its row edited.
func (e Entry) edit(d Edit) (Entry, error) {
	out, err := e.editPlatform(d)
	if err != nil {
		return Entry{}, err
	}
	if d.ofChild() {
		return out.remake(d)
	}
	row, err := parseObject(out.Row)
	if err != nil {
		return Entry{}, err
	}
	if row, err = row.setStrings("annotations", d.annotations(e.Descriptor.Annotations)); err != nil {
		return Entry{}, err
	}
	return out.withRow(row.encode())
}

func (e Entry) editPlatform(d Edit) (Entry, error) {
	was := e.Platform()
	now := d.apply(was)
	if equalPlatforms(was, now) {
		return e, nil
	}
	if !d.Force {
		if err := checkEdit(now, e.Config); err != nil {
			return Entry{}, err
		}
	}
	return e.claiming(now)
}

// claiming returns e with a row that claims p. Rows that belong to the image and have its platform must still come
// after it.
func (e Entry) claiming(p v1.Platform) (Entry, error) {
	was := e.Platform()
	e.Attestations = slices.Clone(e.Attestations)
	for i, a := range e.Attestations {
		if !equalPlatforms(a.Platform(), was) {
			continue
		}
		var err error
		if e.Attestations[i], err = a.withPlatform(p); err != nil {
			return Entry{}, err
		}
	}
	return e.withPlatform(p)
}

func checkEdit(now, config v1.Platform) error {
	if err := platform.Validate(now); err != nil {
		var known registry.Hinter
		if errors.As(err, &known) && known.Hint() != "" {
			return registry.Usagef("%w", err)
		}
		return registry.WithKind(err, ErrUnknown)
	}
	if !platform.IsUnknown(config) && !platform.Agrees(now, config) {
		return fmt.Errorf("%w: the entry would claim %s, but the config of the image says %s", ErrContradicts, describe(now), describe(config))
	}
	return nil
}

// equalPlatforms compares the members as they are written.
func equalPlatforms(a, b v1.Platform) bool {
	return a.OS == b.OS && a.Architecture == b.Architecture && a.Variant == b.Variant && a.OSVersion == b.OSVersion &&
		slices.Equal(a.OSFeatures, b.OSFeatures)
}

// SetConfigs edits the config of the image that selector names (see Select), or of every image for "".
func (l List) SetConfigs(selector string, d Edit) (List, []Change, error) {
	if d.Config == nil {
		return List{}, nil, registry.Usagef("nothing to change")
	}
	if selector != "" {
		return l.Annotate(selector, d)
	}
	if err := d.check(); err != nil {
		return List{}, nil, fmt.Errorf("changing the configs of %q: %w", l.Name, err)
	}
	if d.Config.Platform != nil && len(l.images().Platforms()) > 1 {
		return List{}, nil, registry.WithHint(
			registry.Usagef("changing the configs of %q: its images can't all be for %s", l.Name,
				platform.Format(*d.Config.Platform)), "name the image after the list")
	}
	var changes []Change
	for i, e := range l.Entries {
		if e.Artifact {
			continue
		}
		next, cs, err := l.annotateAt(i, d)
		if err != nil {
			return List{}, nil, fmt.Errorf("changing the config of %s of %q: %w", e, l.Name, err)
		}
		l, changes = next, append(changes, cs...)
	}
	return l, changes, nil
}

// FixConfigs corrects every image config that spells its platform unlike runtimes (see platform.Misspelled), which
// changes the image's digest. Layers stay. Attestations of the old digest are dropped; with keepAttestations it fails
// instead.
func (l List) FixConfigs(keepAttestations bool) (List, []Change, error) {
	var changes []Change
	for i, e := range l.Entries {
		if _, odd := platform.Misspelled(e.Config); !odd || e.Artifact {
			continue
		}
		next, c, err := l.annotateAt(i, Edit{FixConfig: true, KeepAttestations: keepAttestations})
		if err != nil {
			return List{}, nil, fmt.Errorf("mending the config of %s of %q: %w", e, l.Name, err)
		}
		l, changes = next, append(changes, c...)
	}
	return l, changes, nil
}

// Convert converts every image of the list to kind, OCI or Docker; see Edit.Convert.
func (l List) Convert(kind Type, keepAttestations bool) (List, []Change, error) {
	var changes []Change
	for i, e := range l.Entries {
		if e.Artifact || isDocker(e.Descriptor.MediaType) == (kind == TypeDocker) && !e.mixed(kind) {
			continue
		}
		next, c, err := l.annotateAt(i, Edit{Convert: kind, KeepAttestations: keepAttestations})
		if err != nil {
			return List{}, nil, fmt.Errorf("converting %s of %q: %w", e, l.Name, err)
		}
		l, changes = next, append(changes, c...)
	}
	return l, changes, nil
}
