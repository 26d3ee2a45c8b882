package publish

import (
	"fmt"
	"strings"

	"golang.org/x/mod/semver"

	"mtool/registry"
)

// CheckVersion refuses anything but a semantic version, and one with build metadata, which is not allowed in a tag.
// The error wraps registry.ErrUsage.
func CheckVersion(version string) error {
	if !isVersion(version) {
		return registry.Usagef("reading version %q: not a semantic version that a tag can hold", version)
	}
	return nil
}

// VersionTags returns the tags for a version in a repository with existing tags: its own first, then major.minor,
// major and latest, unless one of those belongs to a newer version, which kept then reports. A pre-release gets its
// own tag only.
func VersionTags(version string, there []string) (tags, kept []string) {
	v := "v" + strings.TrimPrefix(version, "v")
	tags = []string{v[1:]}
	if semver.Prerelease(v) != "" {
		return tags, nil
	}
	for _, floating := range []struct{ tag, within string }{
		{semver.MajorMinor(v)[1:], semver.MajorMinor(v) + "."},
		{semver.Major(v)[1:], semver.Major(v) + "."},
		{"latest", "v"},
	} {
		if newer := newest(floating.within, there); newer != "" && semver.Compare(newer, v) > 0 {
			kept = append(kept, fmt.Sprintf("%s stays: %s is newer than %s", floating.tag, newer[1:], v[1:]))
			continue
		}
		tags = append(tags, floating.tag)
	}
	return tags, kept
}

// isVersion reports whether version is major.minor.patch, optionally with a pre-release.
func isVersion(version string) bool {
	v := "v" + strings.TrimPrefix(version, "v")
	return semver.IsValid(v) && semver.Build(v) == "" && strings.Count(strings.SplitN(v, "-", 2)[0], ".") == 2
}

// newest returns the highest released version among the tags with the prefix; tags that are not a full version don't
// count.
func newest(prefix string, tags []string) string {
	found := ""
	for _, tag := range tags {
		v := "v" + strings.TrimPrefix(tag, "v")
		whole := isVersion(v) && semver.Prerelease(v) == ""
		if whole && strings.HasPrefix(v, prefix) && (found == "" || semver.Compare(v, found) > 0) {
			found = v
		}
	}
	return found
}
