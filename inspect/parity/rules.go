package parity

import "mtool/inspect"

// The rules by which images differ. The first three are notes unless the images must be the same program.
const (
	RuleLabel   = "label-differs"
	RuleCreated = "created-apart"
	RuleProgram = "program-differs"
	RulePackage = "package-differs"
	RuleConfig  = "config-differs"
	RuleUnread  = "contents-unread"
	RuleListing = "packages-unread"
)

// Rules returns the rules of the findings that Findings returns.
func Rules() []inspect.Rule {
	const stays = "every image may still be what it claims to be; that all are the same program is a separate requirement"
	return []inspect.Rule{
		{Name: RuleLabel, Means: "the labels of the images state different versions or revisions", Stays: stays},
		{Name: RuleCreated, Means: "the images were built more than 30 days apart, according to their configs", Stays: stays},
		{Name: RuleProgram, Means: "not every image has a program in PATH that belongs to no package", Stays: stays},
		{
			Name:  RulePackage,
			Means: "the images have different packages or versions; only reported if they must be the same",
			Stays: stays,
		},
		{
			Name:  RuleConfig,
			Means: "the images differ in source, base, entrypoint, command, variables, user, ports or directories; only reported if they must be the same", Stays: stays,
		},
		{
			Name:  RuleUnread,
			Means: "the layers of an image were not read to their end, so its programs could not be compared; only reported if they must be the same", Stays: stays,
		},
		{
			Name:  RuleListing,
			Means: "an RPM database can't be read (more than 32 MiB, or with a journal), so packages are not compared, and all programs by name; only reported if they must be the same",
		},
	}
}
