package provenance

import "mtool/inspect"

// The names of the rules of Judge.
const (
	RuleNone      = "no-provenance"
	RuleElsewhere = "built-elsewhere"
	RuleMaterials = "foreign-materials"
)

// Rules returns the rules of the notes that Judge makes.
func Rules() []inspect.Rule {
	return []inspect.Rule{
		{Name: RuleNone, Means: "no provenance is attached to an image"},
		{
			Name: RuleElsewhere, Means: "an image was built on a machine of another platform",
			Stays: "cross compilers and emulators are how most images of foreign architectures are made",
		},
		{
			Name:  RuleMaterials,
			Means: "the images that went into a build are all of other platforms, and the provenance does not state which it starts from",
			Stays: "an empty image with cross-compiled programs is made like that; the binaries tell",
		},
	}
}
