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
	Edited    Action = "edited"    // the row says something else of the same image
	Unchanged Action = "unchanged" // it was so already
)

// Change is one thing that an edit did, in the order it was done.
type Change struct {
	Action Action
	Entry  Entry   // after the edit; the entry that is gone for Removed; zero for an edit of the list itself
	Old    v1.Hash // for Replaced: the digest that was there before
	Note   string  // what else is worth saying, "" mostly
}

// String is the change as one line: "linux/arm64: replaced sha256:… by sha256:…, from demo:v1-arm64 (store)".
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

// Dropped says which platforms of old the list now does not have, one line each ("dropped: linux/amd64 (was sha256:…)"), in
// the order of old.
func Dropped(old, now List) []string {
	var lines []string
	for _, e := range old.Entries {
		if !slices.ContainsFunc(now.Entries, func(n Entry) bool { return takesPlaceOf(n, e) }) {
			lines = append(lines, fmt.Sprintf("dropped: %s (was %s)", formatPlatform(e.Platform()), e.Digest()))
		}
	}
	return lines
}

// takesPlaceOf reports whether clients that took old from a list get now instead. Without a platform only the digest tells.
func takesPlaceOf(now, old Entry) bool {
	if platform.IsUnknown(old.Platform()) {
		return now.Digest() == old.Digest()
	}
	return samePlatform(now, old)
}
