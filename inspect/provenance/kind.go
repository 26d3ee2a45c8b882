package provenance

import "strings"

// Kind is the kind of a statement, as far as mtool needs it.
type Kind int

// The kinds.
const (
	Other Kind = iota
	Provenance
	SBOM
)

// KindOf returns the kind of a predicate type.
func KindOf(predicate string) Kind {
	switch {
	case strings.HasPrefix(predicate, "https://slsa.dev/provenance/"):
		return Provenance
	case strings.HasPrefix(predicate, "https://spdx.dev/"), strings.HasPrefix(predicate, "https://cyclonedx.org/"):
		return SBOM
	}
	return Other
}

// Words returns the name that people use for a predicate type.
func Words(predicate string) string {
	for prefix, name := range map[string]string{
		"https://slsa.dev/provenance/": "SLSA provenance ",
		"https://spdx.dev/Document":    "SPDX SBOM ",
		"https://cyclonedx.org/bom":    "CycloneDX SBOM ",
	} {
		if rest, ok := strings.CutPrefix(predicate, prefix); ok {
			return strings.TrimSpace(name + strings.Trim(rest, "/"))
		}
	}
	return predicate
}
