package bake

import (
	"path/filepath"
	"slices"
	"strings"

	"mtool/registry/regular"
)

// Entitlements of a build that reads or writes files outside of the directory in which the command runs. A path behind
// "=" is allowed with all below it; "*" allows every path. https://docs.docker.com/build/bake/reference/#entitlements
const (
	AllowRead  = "fs.read"
	AllowWrite = "fs.write"
	AllowBoth  = "fs"
)

// IsFileEntitlement reports whether an entitlement allows files rather than steps.
func IsFileEntitlement(entitlement string) bool {
	kind, _, _ := strings.Cut(entitlement, "=")
	return slices.Contains([]string{AllowRead, AllowWrite, AllowBoth}, kind)
}

// Outside returns the entitlements that the request needs for files outside of this directory, without those that are
// allowed. A link that leads out of the directory counts as outside. isRemote reports whether a context is an address.
func (r Request) Outside(allowed []string, isRemote func(string) bool) (needed []string) {
	add := func(kind string, paths []string) {
		for _, path := range paths {
			abs, err := filepath.Abs(path)
			if path == "" || path == "-" || err == nil && (isBelow(".", abs) || isAllowed(allowed, kind, abs)) {
				continue
			}
			if e := kind + "=" + path; !slices.Contains(needed, e) {
				needed = append(needed, e)
			}
		}
	}
	add(AllowRead, r.reads(isRemote))
	add(AllowWrite, r.writes())
	return needed
}

func isAllowed(allowed []string, kind, path string) bool {
	return slices.ContainsFunc(allowed, func(entitlement string) bool {
		name, below, _ := strings.Cut(entitlement, "=")
		return (name == kind || name == AllowBoth) && (below == "*" || below != "" && isBelow(below, path))
	})
}

// isBelow reports whether an absolute path is dir or below it, and stays there through links.
func isBelow(dir, path string) bool {
	root, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(rel) && regular.StaysIn(root, path) == nil
}

// reads returns the local paths that the build reads.
func (r Request) reads(isRemote func(string) bool) (paths []string) {
	if !isRemote(r.Context) {
		paths = append(paths, r.Context)
		if r.Inline == "" {
			paths = append(paths, r.FilePath())
		}
	}
	for _, c := range r.Contexts {
		_, place, _ := strings.Cut(c, "=")
		if !isRemote(place) {
			paths = append(paths, localPlace(place))
		}
	}
	for _, s := range r.Secrets {
		paths = append(paths, member(s, "src", "source"))
	}
	for _, s := range r.SSH {
		_, keys, _ := strings.Cut(s, "=")
		paths = append(paths, strings.Split(keys, ",")...)
	}
	for _, c := range r.CacheFrom {
		paths = append(paths, member(c, "src"))
	}
	return paths
}

// writes returns the local paths that the build writes.
func (r Request) writes() (paths []string) {
	for _, o := range r.Outputs {
		if !strings.Contains(o, "=") { // a directory
			paths = append(paths, o)
		}
	}
	for _, o := range append(slices.Clone(r.Outputs), r.CacheTo...) {
		paths = append(paths, member(o, "dest"))
	}
	return paths
}

// localPlace returns the path of a named context on this machine; "" if it is elsewhere.
func localPlace(place string) string {
	scheme, path, ok := strings.Cut(place, ":")
	switch {
	case ok && (scheme == "docker-image" || scheme == "store"):
		return ""
	case ok && slices.Contains([]string{"oci-layout", "oci-archive", "oci", "docker-archive", "file"}, scheme):
		path, _, _ = strings.Cut(strings.TrimPrefix(path, "//"), ":")
		path, _, _ = strings.Cut(path, "@")
		return path
	}
	return place
}

// member returns the value of the first of the keys that KEY=VALUE,KEY=VALUE has; "" if it has none.
func member(text string, keys ...string) string {
	members, err := fields(text)
	if err != nil {
		return ""
	}
	for _, key := range keys {
		if value, ok := members[key].(string); ok {
			return value
		}
	}
	return ""
}
