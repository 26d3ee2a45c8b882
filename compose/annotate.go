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

// Edit is a change by annotate; empty fields change nothing. Values may contain any character.
type Edit struct {
	OS          string            `json:"os,omitempty"`
	Arch        string            `json:"arch,omitempty"` // any spelling that platform.ParseArch knows
	Variant     string            `json:"variant,omitempty"`
	OSVersion   string            `json:"osVersion,omitempty"`
	OSFeatures  []string          `json:"osFeatures,omitempty"` // replaces all of them
	Annotations map[string]string `json:"annotations,omitempty"`
	// Unset removes annotations; for an entry it also removes the platform's members variant, os.version and
	// os.features.
	Unset []string `json:"unset,omitempty"`
	// Child puts the annotations on the image's own manifest instead of its row, which changes the image's digest.
	Child bool `json:"child,omitempty"`
	// Convert makes the image an OCI or a Docker one: TypeOCI or TypeDocker.
	Convert Type `json:"convert,omitempty"`
	// FixConfig spells the platform in the image's config as runtimes do, which changes the image's digest.
	FixConfig bool `json:"fixConfig,omitempty"`
	// Config changes what the image's config says, which changes the image's digest.
	Config *ConfigEdit `json:"config,omitempty"`
	// KeepAttestations refuses to change the digest of an image with attestations. Otherwise the attestations are
	// dropped.
	KeepAttestations bool `json:"keepAttestations,omitempty"`
	// Force allows a platform that is unknown or contradicts the image's config.
	Force bool `json:"force,omitempty"`
}

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
		err = registry.WithHint(registry.Usagef("the list itself is no image"), "name the entry after the list")
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

func (d Edit) check() error {
	if !d.hasPlatform() && len(d.Annotations) == 0 && len(d.Unset) == 0 && d.Convert == "" && !d.FixConfig && d.Config == nil {
		return registry.Usagef("nothing to change")
	}
	if d.Config != nil {
		if err := d.Config.Check(); err != nil {
			return err
		}
	}
	if _, empty := d.Annotations[""]; empty || slices.Contains(d.Unset, "") {
		return registry.Usagef("an annotation needs a name")
	}
	for _, k := range d.Unset {
		if _, both := d.Annotations[k]; both {
			return registry.Usagef("%q is both set and unset", k)
		}
	}
	return nil
}

func (d Edit) hasPlatform() bool {
	return d.OS != "" || d.Arch != "" || d.Variant != "" || d.OSVersion != "" || len(d.OSFeatures) > 0
}

// annotations returns old as edited, nil if nothing is left.
func (d Edit) annotations(old map[string]string) map[string]string {
	now := maps.Clone(old)
	if now == nil {
		now = map[string]string{}
	}
	maps.Copy(now, d.Annotations)
	for _, k := range d.Unset {
		delete(now, k)
	}
	if len(now) == 0 {
		return nil
	}
	return now
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
