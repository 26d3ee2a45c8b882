package deep

import (
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// prebuild is an add-on for Node.js at a path as node-gyp-build expects it:
// prebuilds/PLATFORM-ARCH[+ARCH…]/NAME[.TAG…].node. https://github.com/prebuild/node-gyp-build
type prebuild struct {
	system   string
	machines []string
	libc     string // glibc or musl; "" means any
	armv     string // the version of ARM; "" means any
}

// prebuildOf parses a path below the directory of a package.
func prebuildOf(inside string) (p prebuild, ok bool) {
	const depth = 3
	parts := strings.Split(inside, "/")
	if len(parts) != depth || parts[0] != "prebuilds" || !isAddOn(inside) {
		return p, false
	}
	system, machines, ok := strings.Cut(parts[1], "-")
	if !ok || strings.Contains(machines, "-") {
		return p, false
	}
	p.system, p.machines = system, strings.Split(machines, "+")
	// linuxmusl-x64, as in loaders derived from node-gyp-build
	if libc, linux := strings.CutPrefix(system, "linux"); linux && libc != "" {
		p.system, p.libc = "linux", libc
	}
	for tag := range strings.SplitSeq(parts[2], ".") {
		version, isARM := strings.CutPrefix(tag, "armv")
		switch {
		case tag == "glibc", tag == "musl":
			p.libc = tag
		case isARM:
			p.armv = version
		}
	}
	return p, true
}

// serves reports whether node-gyp-build loads the add-on on a platform, in an image with this libc; "" means an
// unknown libc.
func (p prebuild) serves(on v1.Platform, libc string) bool {
	if p.system != on.OS || p.libc != "" && libc != "" && p.libc != libc {
		return false
	}
	if version := strings.TrimPrefix(on.Variant, "v"); p.armv != "" && version != "" && p.armv != version {
		return false
	}
	for _, word := range p.machines {
		if m, ok := binary.Named(word); ok && m.Is(on.Architecture) {
			return true
		}
	}
	return false
}

// addOns returns the part of a package from which a loader chooses by platform: the add-ons in prebuilds/, or those
// described by the member binary of its package.json. It returns nil if the file is not in that part. No other file
// of the package can replace an add-on that is missing there.
func (k *pkg) addOns(inside string) *pkg {
	if _, ok := prebuildOf(inside); !ok && !k.matchesPattern(inside) {
		return nil
	}
	return k.choicePart()
}

func (k *pkg) choicePart() *pkg {
	if k.choice == nil {
		k.choice = &pkg{
			name: k.name, manager: k.manager, root: k.root, claims: k.claims, neutral: k.neutral, shared: true,
			isChoice: true,
		}
	}
	return k.choice
}

// matchesPattern reports whether a file lies where node-pre-gyp puts the add-on of the package for some platform.
func (k *pkg) matchesPattern(inside string) bool {
	matches, err := path.Match(k.addOnPattern, inside)
	return k.addOnPattern != "" && err == nil && matches
}

// isBuilt reports whether a file is an add-on that was compiled when the package was installed. Loaders prefer it.
func isBuilt(inside string) bool {
	return isAddOn(inside) && (strings.HasPrefix(inside, "build/Release/") || strings.HasPrefix(inside, "build/Debug/"))
}

// inside returns the path of a file relative to the directory of the package.
func (k *pkg) inside(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, k.root), "/")
}

// countAddOn records an add-on among those from which a loader chooses.
func (p *packages) countAddOn(k *pkg, e rootfs.Entry, fits bool) {
	inside := k.inside(e.Path)
	if fits && isBuilt(inside) {
		k.choicePart().right = true
	}
	choice := k.addOns(inside)
	if choice == nil {
		return
	}
	pre, isPrebuild := prebuildOf(inside)
	switch {
	case fits && (!isPrebuild || pre.serves(p.platform, p.libc())):
		choice.right = true
	case !fits:
		choice.addPlatform(*e.File.Fact)
	case pre.libc != "" && pre.libc != p.libc() && choice.otherLibc == "":
		choice.otherLibc, choice.libcs = e.Path, []string{pre.libc}
	}
}

// addPlatform adds the platform of a program to those for which the package has programs.
func (k *pkg) addPlatform(f binary.Fact) {
	const most = 16
	if other := platformOf(f); hasMachine(f) && len(k.others) < most {
		k.others = append(k.others, other)
		slices.Sort(k.others)
		k.others = slices.Compact(k.others)
	}
}

// chosenHere reports whether node-gyp-build loads the file on this platform; known reports whether its path tells.
func (s *suspect) chosenHere() (chosen, known bool) {
	k := s.packages().enclosing(s.path)
	if k == nil {
		return false, false
	}
	p, ok := prebuildOf(k.inside(s.path))
	return ok && p.serves(s.platform, s.libc()), ok
}

// pluginKey returns the directory and the import path of a Go plugin; "" if the file is no plugin, or one without an
// import path of its own.
func pluginKey(name string, f binary.Fact) string {
	if f.Go == nil || f.Go.Mode != "plugin" || f.Go.Path == "" || f.Go.Path == "command-line-arguments" {
		return ""
	}
	return path.Dir(name) + " " + f.Go.Path
}

func (s *suspect) isPlugin() bool {
	return s.forOther() && s.fact.Go != nil && s.fact.Go.Mode == "plugin"
}
