package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/semver"

	"mtool/registry"
	"mtool/registry/remote"
)

// versionTargets are the tags of a version: itself, and major.minor, major and latest where that moves them forward. The
// list gets the name of the version. With NoClobber only the version's own tag is kept from moving: the others are meant
// to.
func (e *Env) versionTargets(ctx context.Context, o *CreateOptions) ([]target, context.CancelFunc, error) {
	repository := o.List.At(registry.TransportRegistry)
	e.Client.Repository(repository, remote.PullPush)
	if err := checkVersion(o.SemVer); err != nil {
		return nil, nil, err
	}
	there, err := e.Client.Repository(repository, remote.PullPush).Tags(ctx)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, nil, err
	}
	tags, kept := VersionTags(o.SemVer, there)
	e.sayAll(kept)
	var refs []registry.Ref
	for _, place := range append([]registry.Ref{repository}, o.To...) {
		for _, tag := range tags {
			refs = append(refs, place.WithTag(tag))
		}
	}
	o.List = o.List.WithTag(tags[0])
	targets, cancel := e.announce(ctx, refs)
	for i := range targets {
		targets[i].fixed = o.NoClobber && targets[i].ref.Tag == tags[0]
	}
	o.NoClobber = false
	return targets, cancel, nil
}

func checkVersion(version string) error {
	v := "v" + strings.TrimPrefix(version, "v")
	if semver.IsValid(v) && semver.Build(v) == "" && strings.Count(strings.SplitN(v, "-", 2)[0], ".") == 2 {
		return nil
	}
	return registry.WithHint(
		registry.Usagef("reading version %q: not a semantic version that a tag can hold", version),
		"write --semver 1.4.2 or --semver v1.4.2-rc.1",
	)
}

// VersionTags are the tags that version gets beside those that are there, its own one first, and a line for each that stays
// where it is. A pre-release gets no other tag than its own.
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

// newest is the highest released version among the tags that begins so; tags that are no whole version don't count.
func newest(prefix string, tags []string) string {
	found := ""
	for _, tag := range tags {
		v := "v" + strings.TrimPrefix(tag, "v")
		whole := checkVersion(v) == nil && semver.Prerelease(v) == ""
		if whole && strings.HasPrefix(v, prefix) && (found == "" || semver.Compare(v, found) > 0) {
			found = v
		}
	}
	return found
}
