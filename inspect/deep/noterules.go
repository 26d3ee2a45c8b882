package deep

import (
	"slices"

	"mtool/inspect"
)

// The rules of the notes about images whose layers were read, besides those of foreign files.
const (
	RuleNotFollowed  = "not-followed"
	RuleNoCommand    = "no-command"
	RuleNoWorkingDir = "no-working-directory"
	RuleMalformed    = "malformed-program"
	RuleBeside       = "verdict-beside"
	RuleExplained    = "explained"
)

// NoteRules are those of all notes about images whose layers were read.
func NoteRules() []inspect.Rule {
	all := []inspect.Rule{
		{
			Name:  RuleNotFollowed,
			Means: "what the image starts is not followed to its end: behind a script, or a command of the shell",
		},
		{
			Name:  RuleNoCommand,
			Means: "the command of an image without programs is not there, where it may only please a tool",
		},
		{
			Name: RuleNoWorkingDir, Means: "the working directory is not in the image",
			Stays: "runtimes make it; one that can't be made is a mismatch",
		},
		{
			Name:  RuleMalformed,
			Means: "a program that the image is not known to start is broken, or its header can't be read to its end",
		},
		{
			Name: RuleBeside, Means: "the verdict on the binaries of an image whose claims are wrong",
			Stays: "it stands beside the mismatch, which fails",
		},
		{
			Name: RuleExplained, Means: "why a file is needed, by whom, and which rule decided on it, where somebody asked",
			Stays: "it is the answer to a question",
		},
	}
	for _, r := range Rules() {
		all = append(all, inspect.Rule{Name: r.Name, Means: r.Covers, Stays: r.Reason})
	}
	return all
}

// IsFileRule reports whether a rule is a row of the table of foreign files.
func IsFileRule(name string) bool {
	return slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Name == name })
}
