package app

import (
	"slices"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
	"mtool/inspect/workload"
)

// RulePinned is the rule of the note about a digest of one image.
const RulePinned = "pinned-platform"

// NoteRules are the rules of all notes about what is inspected.
func NoteRules() []inspect.Rule {
	return slices.Concat(inspect.Rules(), deep.NoteRules(), provenance.Rules(), signature.Rules(), parity.Rules(), workload.Rules(), []inspect.Rule{
		{Name: RulePinned, Means: "a digest is that of the image of one platform, where a list may have been meant"},
	})
}

// Worth reports whether a finding is one for people: a failure, a warning, or a note that says more than that nothing is known.
func Worth(f inspect.Finding) bool {
	return f.Fails() || f.State == inspect.Warning || f.State == inspect.Note && f.Rule != deep.NotStated
}
