package inspect

import (
	"slices"
)

// Rule is a kind of note: something worth reporting about an image that may be what it claims to be. Its name is
// Finding.Rule.
type Rule struct {
	Name  string // stable: people and programs use it
	Means string // what the note means, for people
	// Stays is why the note is no failure even under strict rules: the verdict is the same without it. "" means that it
	// is one.
	Stays string
}

// The names of the rules of Check.
const (
	RuleNoImage         = "no-image"
	RuleNestedList      = "nested-list"
	RuleMixedTypes      = "mixed-types"
	RuleMixedParts      = "mixed-parts"
	RuleUnknownPlatform = "unknown-platform"
	RuleOddConfig       = "odd-config"
	RuleOrphan          = "orphan-attestation"
	RuleStaleArtifact   = "stale-artifact"
	RuleArtifactRow     = "artifact-row"
	RuleSharedLayers    = "shared-layers"
	RuleSharedBase      = "shared-base-layer"
	RuleSharedProgram   = "shared-program"
	RuleOneBase         = "one-base-for-all"
	RuleForeignBase     = "foreign-base"
	RuleOtherEntry      = "other-entry"
	RuleMissingOptional = "missing-optional"
)

// RuleSpelling is the rule of a note that CheckOptions.KeepSpelling makes instead of a mismatch.
const RuleSpelling = "spelling"

// Rules returns the rules of the notes that Check makes.
func Rules() []Rule {
	return []Rule{
		{
			Name:  RuleNoImage,
			Means: "there is no image under the name, only artifacts: their platforms are claims, no program can be checked",
		},
		{Name: RuleNestedList, Means: "the list holds another list: many clients don't look into it"},
		{Name: RuleMixedTypes, Means: "the list is of Docker's type and holds OCI images: some clients refuse the mixture"},
		{
			Name:  RuleMixedParts,
			Means: "manifest, config and layers of an image have media types of both OCI and Docker: some clients refuse the mixture",
		},
		{Name: RuleUnknownPlatform, Means: "list and config agree on a platform that nobody knows"},
		{Name: RuleOddConfig, Means: "a config violates the specification outside its platform: some runtimes refuse it"},
		{
			Name: RuleSpelling, Means: "row or config of an image in a written list spells the platform as no runtime does",
			Stays: "it is kept on purpose; inspecting the list is a mismatch",
		},
		{Name: RuleOrphan, Means: "an attestation describes an image that is not in the list, or names none"},
		{
			Name:  RuleStaleArtifact,
			Means: "an artifact, such as a SOCI index, describes another image than the one it belongs to",
		},
		{
			Name: RuleArtifactRow, Means: "a row with a platform is an artifact: it counts as what it claims, and no program was checked",
			Stays: "a list without an image fails by no-image; after an image no client takes such a row",
		},
		{Name: RuleSharedLayers, Means: "different platforms share all their layers: right only for images without programs"},
		{
			Name:  RuleSharedBase,
			Means: "different machines share their lowest layer: the base of one machine for all, unless it holds only data",
		},
		{
			Name:  RuleSharedProgram,
			Means: "different machines share the layer with the program that they start: right only if that is a script",
		},
		{Name: RuleOneBase, Means: "different machines name one base image, while others of the list name their own"},
		{
			Name:  RuleForeignBase,
			Means: "name, label or history of an image's base names another machine, and none names its own",
		},
		{
			Name:  RuleOtherEntry,
			Means: "a required platform has no entry of its own, and its nodes take that of another one, as v7 takes v6",
		},
		{
			Name: RuleMissingOptional, Means: "the list says that it was made without an optional platform, whose build or image failed",
			Stays: "the platform was optional; requiring it fails all the same",
		},
	}
}

// Note returns the finding as a note of that rule.
func (f Finding) Note(rule string) Finding {
	f.State, f.Rule = Note, rule
	return f
}

// Strictly makes mismatches of the notes that change the verdict: all except those whose rules have Stays.
func Strictly(findings []Finding, rules []Rule) {
	for n, f := range findings {
		stays := slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == f.Rule && r.Stays != "" })
		if f.State == Note && !stays {
			findings[n].State = Mismatch
		}
	}
}
