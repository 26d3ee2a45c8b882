package registry

import (
	"cmp"
	"strings"

	"golang.org/x/mod/semver"
)

// CompareTags orders tags for slices.SortFunc: semantic versions in their order, with or without "v", after all others.
func CompareTags(a, b string) int {
	x, y := "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
	switch isVersion := semver.IsValid(x); {
	case isVersion != semver.IsValid(y) && isVersion:
		return 1
	case isVersion != semver.IsValid(y):
		return -1
	}
	return cmp.Or(semver.Compare(x, y), strings.Compare(a, b)) // Compare takes invalid versions for equal
}
