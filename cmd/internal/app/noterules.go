package app

import (
	"slices"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
)

// The rules of the notes about how references are used.
const (
	RulePinned = "pinned-platform"
	RuleNoNode = "no-node"
	// RuleAccepted is that of an image that nobody looked at, and that a pattern covers.
	RuleAccepted = "accepted-unchecked"
)

// NoteRules are the rules of all notes about what is inspected.
func NoteRules() []inspect.Rule {
	return slices.Concat(inspect.Rules(), deep.NoteRules(), provenance.Rules(), signature.Rules(), parity.Rules(), []inspect.Rule{
		{Name: RulePinned, Means: "a digest is that of the image of one platform, where a list may have been meant"},
		{Name: RuleNoNode, Means: "no node of the cluster would run what a file wants to start"},
		{Name: RuleAccepted, Means: "a file names an image that was not looked at", Stays: "--allow-unchecked covers it"},
	})
}

// Worth reports whether a finding is one for people: a failure, a warning, or a note that says more than that nothing is known.
func Worth(f inspect.Finding) bool {
	return f.Fails() || f.State == inspect.Warning || f.State == inspect.Note && f.Rule != deep.NotStated
}
