package platform

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Normalize returns the one spelling of a platform that people typed: lower case, aliases replaced, the variant written
// for arm (v7 when none is given) and left out where it only repeats the architecture (arm64/v8, amd64/v1). The
// os.features are sorted. Unknown values stay as they are; see Validate. The argument is not changed. Normalize is not
// for what manifests state: see Spelled.
func Normalize(p v1.Platform) v1.Platform {
	arch, implied := canonicalArch(p.Architecture)
	variant := strings.ToLower(p.Variant)
	if variant == "" {
		variant = implied
	}
	p.OS, p.Architecture, p.Variant = canonicalOS(p.OS), arch, canonicalVariant(arch, variant)
	p.OSFeatures = sorted(p.OSFeatures)
	return p
}

// canonicalVariant drops the variant that means the plain architecture, and corrects its spelling: 7 and armv7 are v7.
func canonicalVariant(arch, variant string) string {
	switch arch {
	case "amd64", "arm", "arm64":
		if strings.HasPrefix(variant, "armv") && arch != "amd64" {
			variant = strings.TrimPrefix(variant, "arm")
		}
		if variant != "" && variant[0] >= '0' && variant[0] <= '9' {
			variant = "v" + variant
		}
	}
	switch arch + "/" + variant {
	case "amd64/v1", "arm64/v8", "arm64/v8.0":
		return ""
	case "arm64/v9.0":
		return "v9"
	case "arm/":
		return "v7"
	}
	return variant
}

func sorted(features []string) []string {
	if len(features) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(features)))
}

// Validate returns an error unless operating system, architecture, their combination, variant and os.version are known,
// in any spelling that Normalize understands. The error wraps ErrInvalid and lists the valid values.
func Validate(p v1.Platform) error {
	return validate(p, raw(p))
}

func validate(p v1.Platform, value string) error {
	p = Normalize(p)
	if !slices.Contains(operatingSystems(), p.OS) {
		return unknown(value, "operating system", p.OS, operatingSystems())
	}
	if valid := architectures(p.OS); !slices.Contains(valid, p.Architecture) {
		return unknown(value, p.OS+" architecture", p.Architecture, valid)
	}
	if err := validateVariant(p, value); err != nil {
		return err
	}
	if !isVersion(p.OSVersion) {
		return &invalidError{value: value, problem: "os.version is not letters, digits, dots and dashes"}
	}
	return nil
}

func validateVariant(p v1.Platform, value string) error {
	valid := variants(p.Architecture)
	if p.Variant == "" || slices.Contains(valid, p.Variant) {
		return nil
	}
	if len(valid) == 0 {
		return &invalidError{
			value: value, problem: p.Architecture + " has no variants",
			meant: Format(v1.Platform{OS: p.OS, Architecture: p.Architecture, OSVersion: p.OSVersion}),
		}
	}
	return unknown(value, p.Architecture+" variant", p.Variant, valid)
}

// isVersion refuses what would make a formatted platform, or a template with it, ambiguous.
func isVersion(s string) bool {
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
