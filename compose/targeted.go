package compose

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Targeted is an annotation and its target, in buildx's syntax: "k=v" and "index:k=v" annotate the list,
// "manifest-descriptor:k=v" every entry, "manifest-descriptor[linux/arm64]:k=v" one entry, and "manifest:k=v" and
// "manifest[…]:k=v" the images themselves, which changes their digests.
// https://github.com/docker/buildx/blob/master/docs/reference/buildx_imagetools_create.md#annotation
type Targeted struct {
	Levels     []string // of the constants below
	Platform   v1.Platform
	Key, Value string
}

// The levels.
const (
	LevelList  = "index"
	LevelEntry = "manifest-descriptor"
	LevelChild = "manifest"
)

// ParseTargeted parses KEY=VALUE with such a prefix; values may contain any character. Errors wrap registry.ErrUsage.
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
	if bracketed { // a platform may contain a colon itself
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
			return fail("%q is not index, manifest-descriptor or manifest", l)
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

// AnnotateTargeted applies annotations to their targets. A platform that no entry has is ErrNoMatch.
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
			platform.Format(t.Platform), l.has(false))
	}
	return l, changes, nil
}
