package compose

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Select returns the indices of the entries that a selector names: a digest, a unique prefix of one (with or without
// "sha256:", at least six digits), a platform, or the name of a source, which selects all its entries. Without a
// match the error wraps ErrNoMatch and lists what there is.
func (l List) Select(selector string) ([]int, error) {
	if found := l.byDigest(selector); len(found) > 0 {
		return found, nil
	}
	p, err := platform.Parse(selector)
	if err == nil {
		if found := l.byPlatform(p); len(found) > 0 {
			return found, nil
		}
	}
	if found := l.bySource(selector); len(found) > 0 {
		return found, nil
	}
	return nil, fmt.Errorf("%w: the list has no entry %q; it has %s", ErrNoMatch, selector, l.has(err != nil))
}

// selectImage is Select for exactly one image; copies of it in different compressions count as one.
func (l List) selectImage(selector string) ([]int, error) {
	found, err := l.Select(selector)
	if err != nil {
		return nil, err
	}
	for _, i := range found[1:] {
		if first := l.Entries[found[0]]; !samePlatform(first, l.Entries[i]) || rival(first, l.Entries[i]) {
			return nil, l.ambiguous(found)
		}
	}
	return found, nil
}

func (l List) ambiguous(found []int) error {
	var names []string
	for _, i := range found {
		names = append(names, l.Entries[i].String())
	}
	return registry.WithHint(fmt.Errorf("%w: %s", ErrAmbiguous, strings.Join(names, ", ")), "name the entry by its digest")
}

func (l List) byDigest(selector string) []int {
	digits := strings.TrimPrefix(selector, "sha256:")
	if len(digits) < 6 || strings.Trim(digits, "0123456789abcdef") != "" {
		return nil
	}
	return l.indices(func(e Entry) bool { return strings.HasPrefix(e.Digest().Hex, digits) })
}

// byPlatform returns the entries with exactly that platform or, if there are none, those that add os.version or
// os.features to it. linux/arm is linux/arm/v7 and never v6.
func (l List) byPlatform(p v1.Platform) []int {
	by := func(fits func(have, want v1.Platform) bool) []int {
		return l.indices(func(e Entry) bool { return !platform.IsUnknown(e.Platform()) && fits(e.Platform(), p) })
	}
	if found := by(platform.Equal); len(found) > 0 {
		return found
	}
	return by(platform.Satisfies)
}

func (l List) bySource(selector string) []int {
	want, err := registry.ParseRef(selector)
	return l.indices(func(e Entry) bool {
		if e.Source.Typed == selector || e.Source.String() == selector {
			return true
		}
		return err == nil && !want.IsFile() && !e.Source.IsFile() && e.Source.Name() == want.Name()
	})
}

func (l List) indices(fits func(Entry) bool) []int {
	var found []int
	for i, e := range l.Entries {
		if fits(e) {
			found = append(found, i)
		}
	}
	return found
}

// has names the entries for an error: their platforms, with digests where these were asked for or tell entries apart.
func (l List) has(digests bool) string {
	if len(l.Entries) == 0 {
		return "none"
	}
	var names []string
	for _, e := range l.Entries {
		name := formatPlatform(e.Platform())
		if digests || platform.IsUnknown(e.Platform()) || len(l.byPlatform(e.Platform())) > 1 {
			name = e.String()
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// Remove removes the entries that the selectors name, with their attestations; a digest may also name one
// attestation. Two selectors may name the same entry. It fails if a selector names nothing (ErrNoMatch), if no image
// would be left (ErrEmpty), or if a digest or platform matches several images (ErrAmbiguous); a source may match
// several. The copies of an image in different compressions are removed together.
func (l List) Remove(selectors ...string) (List, []Change, error) {
	gone := map[int]bool{}
	out := l.with(slices.Clone(l.Entries))
	var changes []Change
	for _, s := range selectors {
		if c, ok := out.removeAttestation(s); ok {
			changes = append(changes, c)
			continue
		}
		found, err := l.selectForRemoval(s)
		if err != nil {
			return List{}, nil, fmt.Errorf("removing from %q: %w", l.Name, err)
		}
		for _, i := range found {
			if !gone[i] {
				gone[i] = true
				changes = append(changes, Change{Action: Removed, Entry: l.Entries[i]})
			}
		}
	}
	var left []Entry
	for i, e := range out.Entries {
		if !gone[i] {
			left = append(left, e)
		}
	}
	isImage := func(e Entry) bool { return !e.Artifact }
	if len(left) == 0 || slices.ContainsFunc(l.Entries, isImage) && !slices.ContainsFunc(left, isImage) {
		what := "nothing"
		if len(left) > 0 {
			what = "no image"
		}
		return List{}, nil, fmt.Errorf("removing from %q: %w: %s would be left", l.Name, ErrNothingLeft, what)
	}
	return out.with(left), changes, nil
}

func (l List) selectForRemoval(selector string) ([]int, error) {
	if len(l.bySource(selector)) > 0 {
		return l.Select(selector)
	}
	return l.selectImage(selector)
}

// removeAttestation changes the entries of l in place, so l must own them. Only a whole digest names an attestation.
func (l List) removeAttestation(selector string) (Change, bool) {
	h, err := v1.NewHash(selector)
	if err != nil {
		return Change{}, false
	}
	for i, e := range l.Entries {
		at := slices.IndexFunc(e.Attestations, func(a Entry) bool { return a.Digest() == h })
		if at < 0 {
			continue
		}
		kind := "artifact"
		if e.Attestations[at].isAttestation() {
			kind = "attestation"
		}
		c := Change{Action: Removed, Entry: e.Attestations[at], Note: kind + " of " + formatPlatform(e.Platform())}
		l.Entries[i].Attestations = slices.Delete(slices.Clone(e.Attestations), at, at+1)
		return c, true
	}
	return Change{}, false
}
