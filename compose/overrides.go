package compose

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Overrides are what a user adds to the name of a source. The zero value adds nothing.
type Overrides struct {
	// Platform selects the image of a list and is what the row then claims. It must not contradict the image's config.
	Platform v1.Platform
	// Annotations go to every row that comes from the source.
	Annotations map[string]string
	// Node takes only the image of a list that nodes of this platform run. Platform then does not select.
	Node v1.Platform
}

func (s Overrides) empty() bool {
	p := s.Platform
	return platform.IsUnknown(p) && p.Variant+p.OSVersion == "" && len(p.OSFeatures) == 0 && len(s.Annotations) == 0 &&
		platform.IsUnknown(s.Node)
}

// apply chooses among the entries of one source and edits their rows.
func (s Overrides) apply(entries []Entry, source Source, force bool) ([]Entry, error) {
	if s.empty() {
		return entries, nil
	}
	if source.Report.List != nil {
		var err error
		if entries, err = s.choose(entries, source); err != nil {
			return nil, err
		}
	}
	p := s.Platform
	d := Edit{
		OS: p.OS, Arch: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
		Annotations: s.Annotations, Force: force,
	}
	out := slices.Clone(entries)
	for i, e := range out {
		edited, err := e.edit(d)
		if err != nil {
			return nil, fmt.Errorf("taking %s of %q: %w", e, source.Ref, err)
		}
		if string(edited.Row) != string(e.Row) {
			edited.Edits = append(slices.Clone(e.Edits), d)
		}
		out[i] = edited
	}
	return out, nil
}

// chooseNode returns the image of a list that a node would run, with its copies in other compressions.
func (s Overrides) chooseNode(entries []Entry, source Source) ([]Entry, error) {
	l := List{Entries: entries}.images()
	served := platform.Serve(l.Platforms(), s.Node, false)
	if len(served.Rows) == 0 {
		return nil, fmt.Errorf("taking %s of %q: %w: it has %s", platform.Format(s.Node), source.Ref, ErrNoMatch,
			l.has(false))
	}
	want := l.Platforms()[served.Rows[0]]
	return slices.DeleteFunc(l.Entries, func(e Entry) bool { return !platform.Equal(e.Platform(), want) }), nil
}

// choose compares os.version and os.features only if they distinguish images of the list: the user may also be adding
// them.
func (s Overrides) choose(entries []Entry, source Source) ([]Entry, error) {
	switch {
	case !platform.IsUnknown(s.Node):
		return s.chooseNode(entries, source)
	case platform.IsUnknown(s.Platform):
		return entries, nil
	}
	less := s.Platform
	less.OSVersion, less.OSFeatures = "", nil
	for _, want := range []v1.Platform{s.Platform, less} {
		var found []Entry
		for _, e := range entries {
			if !platform.IsUnknown(e.Platform()) && platform.Satisfies(e.Platform(), want) {
				found = append(found, e)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, fmt.Errorf("taking %s of %q: %w: it has %s", platform.Format(s.Platform), source.Ref, ErrNoMatch,
		List{Entries: entries}.has(false))
}

// Source is one source of a list: its reference as given, and what was found there.
type Source struct {
	Ref       registry.Ref
	Report    inspect.Report
	Overrides Overrides
}
