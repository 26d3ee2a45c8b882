package signature

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/registry"
)

// Scope is what must be signed.
type Scope string

// The scopes, as they are typed.
const (
	All     Scope = "all"     // the list and every image
	List    Scope = "list"    // the list, or the single image
	Entries Scope = "entries" // every image
)

// RuleApart is the rule of the note that Judge makes.
const RuleApart = "signed-apart"

// Rules returns the rules of the notes that Judge makes.
func Rules() []inspect.Rule {
	return []inspect.Rule{{
		Name: RuleApart, Means: "only the list or only its images are signed",
		Stays: "what must be signed was asked for, and is a mismatch where it is not",
	}}
}

// Subject is something that may be signed, and the signatures found for it.
type Subject struct {
	Name     string // for people: "the list", a platform
	Platform string // "" for the list
	Manifest registry.Manifest
	Found    []Found
}

// Signed reports whether a given key has signed it or, when verified is false, whether it has any signature.
func (s Subject) Signed(verified bool) bool {
	for _, f := range s.Found {
		if f.Signs() && (f.State == Verified || !verified) {
			return true
		}
	}
	return false
}

// Judge reports which of the subjects, the root first, have no signature by a key. It distinguishes a list without its
// images from images without their list: whoever verifies a tag looks at the list, whoever verifies a pulled image at
// the image.
func Judge(root Subject, images []Subject, keys []Key, scope Scope) []inspect.Finding {
	var all []inspect.Finding
	unsigned := 0
	for _, s := range images {
		if s.Signed(true) {
			continue
		}
		unsigned++
		if scope != List {
			all = append(all, missing(s, keys))
		}
	}
	if root.Manifest.IsImage() { // it is its own and only image
		if scope == List && !root.Signed(true) {
			all = append(all, missing(root, keys))
		}
		return all
	}
	if !root.Signed(true) && scope != Entries {
		all = append(all, missing(root, keys))
	}
	if text := explainPartial(root.Signed(true), unsigned, len(images)); text != "" {
		all = append(all, inspect.Finding{Digest: root.Manifest.Digest, Message: text}.Note(RuleApart))
	}
	return all
}

// explainPartial explains what follows if only the list or only some images are signed.
func explainPartial(list bool, unsigned, images int) string {
	switch {
	case list && unsigned == images && images > 0:
		return "the list is signed, none of its images is: what verifies the digest of one image finds nothing (cosign signs both if it signs recursively)"
	case list && unsigned > 0:
		return fmt.Sprintf("the list is signed, %d of its %d images are not", unsigned, images)
	case !list && unsigned == 0 && images > 0:
		return "every image is signed, the list that names them is not: what verifies the tag finds nothing"
	}
	return ""
}

func missing(s Subject, keys []Key) inspect.Finding {
	var names, reasons []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	for _, f := range s.Found {
		reasons = append(reasons, fmt.Sprintf("%s signature in %s: %v", f.Kind, f.where(), reason(f)))
	}
	if len(reasons) == 0 {
		reasons = []string{"no signature was found"}
	}
	by := strings.Join(names, " or ")
	return inspect.Finding{
		State: inspect.Mismatch, Platform: s.Platform, Digest: s.Manifest.Digest, Claim: "signed by " + by,
		Evidence: strings.Join(reasons, "; "),
		Message:  fmt.Sprintf("%s (%s) is not signed by %s: %s", s.Name, s.Manifest.Digest, by, strings.Join(reasons, "; ")),
	}.Printable()
}

// reason returns why a signature does not sign the image.
func reason(f Found) string {
	if f.Err == nil {
		return "it signs a statement of type " + f.Predicate + ", not the image"
	}
	return f.Err.Error()
}

// where returns the tag, or the digest of a referrer.
func (f Found) where() string {
	if f.Tag != "" {
		return f.Tag
	}
	return f.Manifest.String()
}
