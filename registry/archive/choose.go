package archive

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// choice is one image that a file offers.
type choice struct {
	names []string // as written in the file: full references or tags
	key   string   // equal for names of one image
}

// choose returns the image that ref's tag names, as a full name or as a tag; without a tag it returns the only image.
// Exact names win over full references that mean the same, and these over tags.
func choose(ref registry.Ref, choices []choice) (int, error) {
	if len(choices) == 0 {
		return 0, registry.WithKind(errors.New("it holds no image"), registry.ErrNotFound)
	}
	if ref.Tag == "" {
		return only(ref, choices, func(string) bool { return true })
	}
	for _, matches := range []func(string) bool{
		func(name string) bool { return name == ref.Tag },
		func(name string) bool { return whole(name) && full(name).Name() == full(ref.Tag).Name() },
		func(name string) bool { return whole(name) && full(name).Tag == ref.Tag },
	} {
		if i, err := only(ref, choices, matches); i >= 0 || err != nil {
			return i, err
		}
	}
	return 0, registry.WithHint(registry.WithKind(fmt.Errorf("it holds no image %q", ref.Tag), registry.ErrNotFound),
		"it holds "+list(choices))
}

// only returns the one image with a name that matches, or -1.
func only(ref registry.Ref, choices []choice, matches func(name string) bool) (int, error) {
	found := -1
	for i, c := range choices {
		if !c.matches(matches) || (found >= 0 && c.key == choices[found].key) {
			continue
		}
		if found >= 0 {
			return -1, registry.WithHint(
				registry.WithKind(fmt.Errorf("it holds several images: %s", list(choices)), registry.ErrName),
				"choose one, as "+references(ref, choices),
			)
		}
		found = i
	}
	return found, nil
}

func (c choice) matches(matches func(name string) bool) bool {
	if slices.ContainsFunc(c.names, matches) {
		return true
	}
	return len(c.names) == 0 && matches("")
}

// whole reports whether the name can't be a mere tag.
func whole(name string) bool { return strings.ContainsAny(name, "/:") }

// full parses name, and returns the zero Ref, which matches nothing, when it is not a reference.
func full(name string) registry.Ref {
	ref, err := registry.ParseRef("docker://" + name)
	if err != nil {
		return registry.Ref{}
	}
	return ref
}

// references lists the first images as arguments for a command.
func references(ref registry.Ref, choices []choice) string {
	const most = 3
	var refs []string
	for _, c := range choices[:min(most, len(choices))] {
		of := ref.WithTag("").String()
		if len(c.names) > 0 {
			refs = append(refs, of+":"+c.names[0])
		} else if _, err := v1.NewHash(c.key); err == nil {
			refs = append(refs, of+"@"+c.key)
		}
	}
	return strings.Join(refs, " or ")
}

// list returns the images by name for people, those without a name by digest.
func list(choices []choice) string {
	var names []string
	for _, c := range choices {
		if len(c.names) == 0 {
			names = append(names, c.key)
		} else {
			names = append(names, c.names[0])
		}
	}
	return strings.Join(names, ", ")
}
