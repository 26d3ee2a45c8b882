package compose

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Targeted is an annotation and where it goes, as buildx spells it: "k=v" and "index:k=v" are the list's,
// "manifest-descriptor:k=v" that of every entry, "manifest-descriptor[linux/arm64]:k=v" that of one, and "manifest:k=v" and
// "manifest[…]:k=v" are those of the images themselves, whose digests change by it.
// https://github.com/docker/buildx/blob/master/docs/reference/buildx_imagetools_create.md#annotation
type Targeted struct {
	Levels     []string // of the words above
	Platform   v1.Platform
	Key, Value string
}

// The levels.
const (
	LevelList  = "index"
	LevelEntry = "manifest-descriptor"
	LevelChild = "manifest"
)

// ParseTargeted reads KEY=VALUE with such a prefix; values may hold any character. Errors wrap registry.ErrUsage.
func ParseTargeted(s string) (Targeted, error) {
	key, value, ok := strings.Cut(s, "=")
	t := Targeted{Levels: []string{LevelList}, Key: key, Value: value}
	fail := func(format string, args ...any) (Targeted, error) {
		return Targeted{}, registry.Usagef("reading annotation %q: %s", s, fmt.Sprintf(format, args...))
	}
	if !ok || key == "" {
		return fail("it is not KEY=VALUE")
	}
	prefix, rest, ok := strings.Cut(key, ":")
	bare, within, bracketed := strings.Cut(prefix, "[")
	if bracketed { // a platform may hold a colon itself
		if within, rest, ok = strings.Cut(strings.TrimPrefix(key, bare+"["), "]:"); !ok {
			return fail("no ]: behind the platform")
		}
	}
	levels := strings.Split(bare, ",")
	if !ok || !slices.Contains([]string{LevelList, LevelEntry, LevelChild, "index-descriptor"}, levels[0]) {
		return t, nil // a key with a colon
	}
	t.Levels, t.Key = levels, rest
	if rest == "" {
		return fail("it has no key")
	}
	for _, l := range levels {
		if l != LevelList && l != LevelEntry && l != LevelChild {
			return fail("%q is none of index, manifest-descriptor, manifest", l)
		}
	}
	if bracketed {
		var err error
		if t.Platform, err = platform.Parse(within); err != nil {
			return fail("%v", err)
		}
		if slices.Contains(levels, LevelList) {
			return fail("the list itself has no platform")
		}
	}
	return t, nil
}

// AnnotateTargeted puts annotations where they say. A platform that no entry has is ErrNoMatch.
func (l List) AnnotateTargeted(all []Targeted) (List, []Change, error) {
	var changes []Change
	for _, t := range all {
		for _, level := range t.Levels {
			var cs []Change
			var err error
			if l, cs, err = l.annotateLevel(level, t); err != nil {
				return List{}, nil, err
			}
			changes = append(changes, cs...)
		}
	}
	return l, changes, nil
}

func (l List) annotateLevel(level string, t Targeted) (List, []Change, error) {
	d := Edit{Annotations: map[string]string{t.Key: t.Value}}
	if level == LevelList {
		return l.AnnotateList(d)
	}
	d.Child = level == LevelChild
	var changes []Change
	found := false
	for _, e := range l.Entries {
		if !platform.IsUnknown(t.Platform) && !platform.Satisfies(e.Platform(), t.Platform) {
			continue
		}
		var cs []Change
		var err error
		if l, cs, err = l.Annotate(e.Digest().String(), d); err != nil {
			return List{}, nil, err
		}
		found, changes = true, append(changes, cs...)
	}
	if !found {
		return List{}, nil, fmt.Errorf("annotating %q: %w: no entry is %s; there is %s", l.Name, ErrNoMatch,
			platform.Format(t.Platform), l.has())
	}
	return l, changes, nil
}
