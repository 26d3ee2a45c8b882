package inspect

import (
	"slices"
)

// Rule is a kind of note: what is worth saying of an image, though it may be what it claims to be. Its name is Finding.Rule.
type Rule struct {
	Name  string // stable, since people and programs go by it
	Means string // what the note says, for people
	// Stays is why the note fails not even those who are strict: the verdict is the same without it. "": it does.
	Stays string
}

// The rules of the notes that Check makes.
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
)

// RuleSpelling is the rule of a note that CheckOptions.KeepSpelling makes of a mismatch, where a list is written.
const RuleSpelling = "spelling"

// Rules are those of the notes that Check makes.
func Rules() []Rule {
	return []Rule{
		{Name: RuleNoImage, Means: "there is no image under the name, only artifacts: nothing states a platform that could be checked"},
		{Name: RuleNestedList, Means: "the list holds another list: many clients don't look into it"},
		{Name: RuleMixedTypes, Means: "the list is of Docker's type and holds OCI images: some clients refuse the mixture"},
		{Name: RuleMixedParts, Means: "manifest, config and layers of an image have media types of both OCI and Docker: some clients refuse the mixture"},
		{Name: RuleUnknownPlatform, Means: "list and config agree on a platform that nobody knows"},
		{Name: RuleOddConfig, Means: "a config is not as the specification has it, in what it says beside the platform: some runtimes refuse it"},
		{
			Name: RuleSpelling, Means: "row or config of an image that is written into a list spell its platform as no runtime does",
			Stays: "it is kept on purpose; a list that is inspected has a mismatch then",
		},
		{Name: RuleOrphan, Means: "an attestation is about an image that is not in the list, or does not say which it is about"},
		{Name: RuleStaleArtifact, Means: "an artifact, such as a SOCI index, is about another image than the one that it is behind"},
		{
			Name: RuleArtifactRow, Means: "a row with a platform is an artifact, and is not counted as an image",
			Stays: "what names no image fails by no-image; behind an image nobody takes the row for one",
		},
		{Name: RuleSharedLayers, Means: "different platforms have all their layers in common: right only for images without programs"},
		{Name: RuleSharedBase, Means: "different machines have their lowest layer in common: the base of one for all, unless it is only data"},
		{Name: RuleSharedProgram, Means: "different machines have the layer in common that brings what they start: right only if that is a script"},
		{Name: RuleOneBase, Means: "different machines name one base image, where others of the list name their own"},
		{Name: RuleForeignBase, Means: "name, label or history of an image's base speak of another machine, and of none that is its own"},
		{Name: RuleOtherEntry, Means: "a required platform is not there itself, and its nodes take the entry of another one, as v7 takes v6"},
	}
}

// Note is the finding as a note by the rule of that name.
func (f Finding) Note(rule string) Finding {
	f.State, f.Rule = Note, rule
	return f
}

// Strictly makes mismatches of the notes that change the verdict: of all but those that stay, as their rules say.
func Strictly(findings []Finding, rules []Rule) {
	for n, f := range findings {
		stays := slices.ContainsFunc(rules, func(r Rule) bool { return r.Name == f.Rule && r.Stays != "" })
		if f.State == Note && !stays {
			findings[n].State = Mismatch
		}
	}
}
