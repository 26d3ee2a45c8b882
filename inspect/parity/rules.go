package parity

import "mtool/inspect"

// The rules by which images differ. The first three are notes where nobody has asked for images of one program.
const (
	RuleLabel   = "label-differs"
	RuleCreated = "created-apart"
	RuleProgram = "program-differs"
	RulePackage = "package-differs"
	RuleConfig  = "config-differs"
	RuleUnread  = "contents-unread"
	RuleListing = "packages-unread"
)

// Rules are those of what Findings makes.
func Rules() []inspect.Rule {
	const stays = "an image may well be what it claims to be; that all are one program is a demand of its own"
	return []inspect.Rule{
		{Name: RuleLabel, Means: "the labels of the images state different versions or revisions", Stays: stays},
		{Name: RuleCreated, Means: "the images were made more than 30 days apart, as their configs say", Stays: stays},
		{Name: RuleProgram, Means: "not every image has a program in PATH that no package brought", Stays: stays},
		{
			Name:  RulePackage,
			Means: "the images have different packages, or versions of them; told only where they must be the same",
			Stays: stays,
		},
		{
			Name:  RuleConfig,
			Means: "the images differ in source, base, entrypoint, command, variables, user, ports or directories; told only where they must be the same", Stays: stays,
		},
		{
			Name:  RuleUnread,
			Means: "the layers of an image were not read to their end, so that its programs could not be compared; told only where they must be the same", Stays: stays,
		},
		{
			Name:  RuleListing,
			Means: "a database of RPM can't be read (more than 32 MiB, or with a journal), so that packages are not compared, and all programs by name; told only where they must be the same",
		},
	}
}
