package platform

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Equal reports whether both mean one platform: same normal form, os.version and the set of os.features included.
func Equal(a, b v1.Platform) bool {
	a, b = Normalize(a), Normalize(b)
	return same(a, b) && a.OSVersion == b.OSVersion && slices.Equal(a.OSFeatures, b.OSFeatures)
}

// Agrees reports whether the platform of a descriptor is the one that the image config states, or only adds what the
// config leaves out: a variant where the config has none (linux/arm/v6 over a config that says linux/arm), an
// os.version, os.features. A descriptor that leaves out what the config states does not agree: a plain linux/amd64 over
// a config that says linux/amd64/v3 sends v3 code to every amd64 machine.
func Agrees(descriptor, config v1.Platform) bool {
	d, c := Normalize(descriptor), Normalize(config)
	if c.OS == "" {
		c.OS = d.OS
	}
	if c.Architecture == "" {
		c.Architecture, c.Variant = d.Architecture, d.Variant
	}
	// The normal form of a bare arm is v7, which is more than the config said. An alias that names a variant says it.
	if _, implied := canonicalArch(config.Architecture); config.Variant == "" && implied == "" {
		c.Variant = d.Variant
	}
	return same(d, c) && (c.OSVersion == "" || c.OSVersion == d.OSVersion) && includes(d.OSFeatures, c.OSFeatures)
}

// Satisfies reports whether have means what want asks for, in whatever spelling; whether runtimes find it is for Offer.Serves
// to say. Operating system, architecture and variant are compared in
// normal form, so that amd64 asks for amd64/v1 and not for v3; those that want leaves empty are not asked for. An
// os.version is asked for as far as it is written, by its dotted parts: 10.0.20348 is satisfied by 10.0.20348.1. All
// os.features of want must be there.
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

// IsUnknown reports whether nothing is told: empty, or the unknown/unknown that BuildKit gives its attestations.
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
