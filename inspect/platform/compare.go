package platform

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Equal reports whether both mean the same platform: equal normal forms, with os.version and the set of os.features.
func Equal(a, b v1.Platform) bool {
	a, b = Normalize(a), Normalize(b)
	return same(a, b) && a.OSVersion == b.OSVersion && slices.Equal(a.OSFeatures, b.OSFeatures)
}

// Agrees reports whether a descriptor's platform is the one that the image config states, or only adds what the config
// leaves out: a variant (linux/arm/v6 over a config of linux/arm), an os.version, os.features. A descriptor that leaves
// out what the config states does not agree: a plain linux/amd64 over a config of linux/amd64/v3 sends v3 code to every
// amd64 machine.
func Agrees(descriptor, config v1.Platform) bool {
	d, c := Normalize(descriptor), Normalize(config)
	if c.OS == "" {
		c.OS = d.OS
	}
	if c.Architecture == "" {
		c.Architecture, c.Variant = d.Architecture, d.Variant
	}
	// The normal form of a bare arm is v7, which is more than the config states. An alias that names a variant states
	// it.
	if _, implied := canonicalArch(config.Architecture); config.Variant == "" && implied == "" {
		c.Variant = d.Variant
	}
	return same(d, c) && (c.OSVersion == "" || c.OSVersion == d.OSVersion) && includes(d.OSFeatures, c.OSFeatures)
}

// Satisfies reports whether have is the wanted platform, in any spelling; Serve reports whether runtimes find it.
// Operating system, architecture and variant are compared in normal form, so amd64 means amd64/v1 and not v3; empty
// fields of want match anything. An os.version is compared by the dotted parts that want has: 10.0.20348.1 satisfies
// 10.0.20348. All os.features of want must be present.
func Satisfies(have, want v1.Platform) bool {
	h, w := Normalize(have), Normalize(want)
	if w.OS == "" {
		w.OS = h.OS
	}
	if w.Architecture == "" && w.Variant == "" {
		w.Architecture, w.Variant = h.Architecture, h.Variant
	}
	version := w.OSVersion == "" || strings.HasPrefix(h.OSVersion+".", w.OSVersion+".")
	return same(h, w) && version && includes(h.OSFeatures, w.OSFeatures)
}

// IsUnknown reports whether p states nothing: it is empty, or the unknown/unknown of BuildKit's attestations.
func IsUnknown(p v1.Platform) bool {
	return (p.OS == "" || p.OS == "unknown") && (p.Architecture == "" || p.Architecture == "unknown")
}

// same compares the three names of two normal forms.
func same(a, b v1.Platform) bool {
	return a.OS == b.OS && a.Architecture == b.Architecture && a.Variant == b.Variant
}

func includes(all, some []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}
