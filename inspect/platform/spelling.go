package platform

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Spelled returns the platform as runtimes read it in a row or a config. Its words stay as they are spelled, since only
// containerd replaces aliases there, and only some. Only the variant has a normal form, where all runtimes read two as
// one: arm64/v8 is arm64, amd64/v1 is amd64, arm is arm/v7. The os.features are sorted.
func Spelled(p v1.Platform) v1.Platform {
	switch p.Architecture + "/" + p.Variant {
	case "amd64/v1", "arm64/v8":
		p.Variant = ""
	case "arm/":
		p.Variant = "v7"
	}
	p.OSFeatures = sorted(p.OSFeatures)
	return p
}

// Misspelled reports whether a row or a config spells p in a way that not every runtime matches: an alias (x86_64,
// arm32v7), capitals (Linux, AMD64), or another form of the variant (arm64/8). It returns what they look for as right.
// Unknown words are not misspellings; see Validate.
func Misspelled(p v1.Platform) (right v1.Platform, is bool) {
	right = Normalize(p)
	return right, !same(Spelled(p), right)
}
