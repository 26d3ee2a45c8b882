package compose

import (
	"fmt"
	"regexp"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// ChildTag is a name for one image of a list.
type ChildTag struct {
	Name     string
	Manifest registry.Manifest
}

// ChildTags names every image of r by template, once for each of the list's tags; see Expand for the words TAG, OS,
// ARCH and VARIANT. Two images with one name, or a name that is not a valid tag, are registry.ErrUsage.
func ChildTags(r inspect.Report, template string, tags []string) ([]ChildTag, error) {
	if len(tags) == 0 {
		tags = []string{""}
	}
	var all []ChildTag
	for _, tag := range tags {
		for _, img := range r.Images {
			name := Expand(template, img.Platform(), tag)
			if err := checkChildTag(all, name, img.Manifest.Digest, tags); err != nil {
				return nil, fmt.Errorf("naming %s of %q by %q: %w", nameOf(img), r.Ref, template, err)
			}
			all = append(all, ChildTag{name, img.Manifest})
		}
	}
	return slices.CompactFunc(all, func(a, b ChildTag) bool { return a.Name == b.Name }), nil
}

func checkChildTag(all []ChildTag, name string, digest v1.Hash, tags []string) error {
	if !registry.IsTag(name) {
		return registry.Usagef("%q is not a tag", name)
	}
	if slices.Contains(tags, name) {
		return registry.WithHint(registry.Usagef("%q is the tag of the list itself", name),
			"let the template name ARCH: 'TAG-ARCHVARIANT'")
	}
	for _, t := range all {
		if t.Name == name && t.Manifest.Digest != digest {
			return registry.WithHint(registry.Usagef("%q would name two images", name),
				"let the template name OS, ARCH and VARIANT")
		}
	}
	return nil
}

// Expand replaces the words OS, ARCH and VARIANT (as in manifest-tool) and TAG in a template. The platform is in its
// normal form. Without a variant, a separator in front of VARIANT is dropped too, so "app-ARCH-VARIANT" is app-arm-v7
// and app-amd64.
func Expand(template string, p v1.Platform, tag string) string {
	p = platform.Normalize(p)
	return placeholder().ReplaceAllStringFunc(template, func(word string) string {
		switch word {
		case "TAG":
			return tag
		case "OS":
			return p.OS
		case "ARCH":
			return p.Architecture
		}
		if p.Variant == "" {
			return ""
		}
		return word[:len(word)-len("VARIANT")] + p.Variant
	})
}

var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`TAG|OS|ARCH|[-_.]?VARIANT`)
})
