package registry

import "strings"

const (
	digits      = "0123456789"
	letters     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	longestTag  = 128
	tagFirst    = letters + digits + "_"
	tagFollowed = tagFirst + ".-"
)

// IsTag reports whether a registry takes name as a tag:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
func IsTag(name string) bool {
	// By hand: a counted repetition is dear to compile, and every start of the program would pay for it.
	return name != "" && len(name) <= longestTag && strings.Contains(tagFirst, name[:1]) && strings.Trim(name, tagFollowed) == ""
}
