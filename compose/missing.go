package compose

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// ErrMissing means that a list was made without an optional platform, and that this matters.
var ErrMissing = errors.New("optional platforms are missing")

// CheckMissing returns an ErrMissing that names the platforms; nil if there are none.
func CheckMissing(platforms []v1.Platform) error {
	if len(platforms) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrMissing, strings.Join(platform.FormatAll(platforms), ", "))
}

// CheckOptional refuses optional platforms that are required, or not among those to take, and lists that need none of
// these.
func CheckOptional(optional, platforms, require []v1.Platform) error {
	needed := len(platforms)
	for _, p := range optional {
		switch {
		case containsPlatform(require, p):
			return registry.Usagef("optional platform %s is also required", platform.Format(p))
		case len(platforms) > 0 && !containsPlatform(platforms, p):
			return registry.Usagef("optional platform %s is not one of those to take: %s", platform.Format(p),
				strings.Join(platform.FormatAll(platforms), ", "))
		}
		needed--
	}
	if len(optional) > 0 && len(platforms) > 0 && needed == 0 {
		return registry.Usagef("every platform is optional: a list needs at least one that is not")
	}
	return nil
}

// MissingFrom returns the optional platforms that a list says it was made without.
func MissingFrom(root registry.Manifest) []v1.Platform {
	var list struct{ Annotations map[string]string }
	_ = json.Unmarshal(root.Body, &list) // a draft or an image alone says nothing
	return List{Annotations: list.Annotations}.Missing()
}

// Missing returns the optional platforms that the list was made without.
func (l List) Missing() []v1.Platform {
	text := l.Annotations[inspect.MissingAnnotation]
	if text == "" {
		return nil
	}
	all, _ := platform.ParseList([]string{text}) // anyone can write an annotation
	return all
}

// WithMissing records which of the optional platforms no entry serves, along with those recorded before. Optional
// platforms that the list has are not missing any more.
func (l List) WithMissing(optional []v1.Platform) List {
	missing := l.Missing()
	for _, p := range optional {
		if !containsPlatform(missing, p) {
			missing = append(missing, p)
		}
	}
	missing = slices.DeleteFunc(missing, func(p v1.Platform) bool {
		return slices.ContainsFunc(l.Platforms(), func(q v1.Platform) bool { return platform.Satisfies(q, p) })
	})
	text := strings.Join(platform.FormatAll(missing), ",")
	if len(optional) == 0 && len(missing) == len(l.Missing()) || text == l.Annotations[inspect.MissingAnnotation] {
		return l // as it was written
	}
	l.Annotations = maps.Clone(l.Annotations)
	if text == "" {
		delete(l.Annotations, inspect.MissingAnnotation)
		return l
	}
	if l.Annotations == nil {
		l.Annotations = map[string]string{}
	}
	l.Annotations[inspect.MissingAnnotation] = text
	return l
}

// IsFor reports whether a source that can't be read is meant for one of the platforms: because the caller said so, or
// because its name spells that platform and no other (demo:v1-riscv64, riscv64/demo).
func (s Overrides) IsFor(platforms []v1.Platform, source registry.Ref) bool {
	p := s.Platform
	if platform.IsUnknown(p) {
		p = spelled(source)
	}
	return containsPlatform(platforms, p)
}

func containsPlatform(all []v1.Platform, p v1.Platform) bool {
	return slices.ContainsFunc(all, func(q v1.Platform) bool { return platform.Equal(p, q) })
}

// spelled returns the platform that the words of a name spell; zero if they spell none, or several.
func spelled(ref registry.Ref) v1.Platform {
	words := strings.FieldsFunc(ref.Repo+" "+ref.Path+" "+ref.Tag, func(r rune) bool { return strings.ContainsRune(" /-_.:+", r) })
	var found []v1.Platform
	for i := 0; i < len(words); {
		p, n := leading(words[i:])
		if n > 0 {
			found = append(found, p)
		}
		i += max(n, 1)
	}
	for _, p := range found {
		if !platform.Equal(p, found[0]) {
			return v1.Platform{}
		}
	}
	if len(found) == 0 {
		return v1.Platform{}
	}
	return found[0]
}

// leading returns the platform that the first words spell, and how many they are: linux arm v7, arm v7, armv7.
func leading(words []string) (v1.Platform, int) {
	const longest = 3
	for n := min(longest, len(words)); n > 0; n-- {
		if p, err := platform.Parse(strings.Join(words[:n], "/")); err == nil && words[0] != "local" {
			return p, n
		}
	}
	return v1.Platform{}, 0
}

// leaveOut reports whether an image that can't be read is of an optional platform, and notes it.
func (s *selection) leaveOut(img inspect.Image) bool {
	have := img.Claim()
	if platform.IsUnknown(have) {
		have = spelled(s.source)
	}
	if !containsPlatform(s.options.Optional, have) {
		return false
	}
	s.note("left out: %s, which is optional: %v", platform.Format(have), img.Err)
	return true
}
