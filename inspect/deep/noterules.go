package deep

import (
	"slices"

	"mtool/inspect"
)

// Rules of notes about images whose layers were read, other than those about foreign files.
const (
	RuleNotFollowed  = "not-followed"
	RuleNoCommand    = "no-command"
	RuleNoWorkingDir = "no-working-directory"
	RuleMalformed    = "malformed-program"
	RuleBinariesToo  = "binaries-too"
	RuleExplained    = "explained"
)

// NoteRules returns the rules of all notes about images whose layers were read.
func NoteRules() []inspect.Rule {
	all := []inspect.Rule{
		{
			Name:  RuleNotFollowed,
			Means: "what the image starts could not be followed to the end, past a script or a shell command",
		},
		{
			Name:  RuleNoCommand,
			Means: "an image without programs lacks its command, which may only satisfy a tool",
		},
		{
			Name: RuleNoWorkingDir, Means: "the working directory is not in the image",
			Stays: "runtimes create it; one that can't be created is a mismatch",
		},
		{
			Name:  RuleMalformed,
			Means: "a program that the image is not known to start is broken, or its header can't be read to its end",
		},
		{
			Name: RuleBinariesToo, Means: "the verdict on the binaries of an image whose claims are wrong",
			Stays: "it accompanies the mismatch, which fails the check",
		},
		{
			Name: RuleExplained, Means: "why a file is needed, by what, and which rule applied to it, on request",
			Stays: "it only answers a question",
		},
	}
	for _, r := range Rules() {
		all = append(all, inspect.Rule{Name: r.Name, Means: r.Covers, Stays: r.Reason})
	}
	return all
}

// IsFileRule reports whether a rule is one of the rules about foreign files.
func IsFileRule(name string) bool {
	return slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Name == name })
}
