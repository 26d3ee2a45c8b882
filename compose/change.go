package compose

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Action is what an edit did to an entry.
type Action string

// The actions.
const (
	Added     Action = "added"
	Replaced  Action = "replaced"  // another image for the same platform; Change.Old is the one before
	Folded    Action = "folded"    // the same digest was there already: one entry
	Removed   Action = "removed"   // with its attestations
	Edited    Action = "edited"    // the row describes the same image differently
	Unchanged Action = "unchanged" // nothing to do
)

// Change is one effect of an edit; they are in the order in which they happened.
type Change struct {
	Action Action
	Entry  Entry   // after the edit; for Removed the removed entry; zero if the list itself was edited
	Old    v1.Hash // for Replaced: the previous digest
	Note   string  // a remark for the user, mostly ""
}

// String formats the change as one line: "linux/arm64: replaced sha256:… by sha256:…, from demo:v1-arm64 (store)".
func (c Change) String() string {
	subject := "list"
	if c.Entry.Row != nil {
		subject = formatPlatform(c.Entry.Platform())
	}
	s := fmt.Sprintf("%s: %s", subject, c.Action)
	switch {
	case c.Entry.Row == nil:
	case c.Action == Replaced:
		s += fmt.Sprintf(" %s by %s", c.Old, c.Entry.Digest())
	default:
		s += " " + c.Entry.Digest().String()
	}
	if kind := c.Entry.kind(); kind != "" && c.Entry.List == nil && c.Action != Unchanged {
		s += ", an artifact of type " + kind
	}
	if with := c.Entry.belongings(); with != "" {
		s += " with " + with
	}
	if c.Entry.Source != (registry.Ref{}) && (c.Action == Added || c.Action == Replaced) {
		s += fmt.Sprintf(", from %s", c.Entry.From())
	}
	if c.Note != "" {
		s += " (" + c.Note + ")"
	}
	return s
}

// redone is the change of an image that has another digest now.
func redone(was, now Entry) Change {
	c := Change{Action: Edited, Entry: now, Note: "its digest was " + was.Digest().String()}
	if gone := was.belongings(); gone != "" {
		c.Note += "; dropped: " + gone + " about that one"
	}
	c.Note += "; signatures and referrers of that one don't carry over"
	return c
}

// Dropped returns the platforms of old that are missing in now, in the order of old, one line each:
// "dropped: linux/amd64 (was sha256:…)".
func Dropped(old, now List) []string {
	var lines []string
	for _, e := range old.Entries {
		if !slices.ContainsFunc(now.Entries, func(n Entry) bool { return takesPlaceOf(n, e) }) {
			lines = append(lines, fmt.Sprintf("dropped: %s (was %s)", formatPlatform(e.Platform()), e.Digest()))
		}
	}
	return lines
}

// takesPlaceOf reports whether clients that selected old from a list will get now instead. Entries without a platform
// are compared by digest.
func takesPlaceOf(now, old Entry) bool {
	if platform.IsUnknown(old.Platform()) {
		return now.Digest() == old.Digest()
	}
	return samePlatform(now, old)
}
