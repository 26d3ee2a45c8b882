package deep

import (
	"slices"
	"strings"

	"mtool/inspect/binary"
)

// lacksPlatform reports whether the package has native code for Linux on other machines, and none for this platform,
// which packages for more than one machine usually support. A package for x86 only may work without: its native code
// often is an extra for debuggers or profilers there.
func (s *suspect) lacksPlatform() bool {
	usual := slices.Contains([]string{"amd64", "arm64"}, s.platform.Architecture)
	if !usual || !s.severalPlatforms() {
		return false
	}
	k := s.packages().judgedWith(s.path)
	if k == nil || k.right && !k.shared || s.slot().right {
		return false
	}
	others := s.slot()
	bound := !k.neutral && s.verdict != binary.OtherOS && buildsImages(s.fact) && binary.Names(base(k.root), s.fact.Arch)
	return bound || others.families() > 1 || isAddOn(s.path) && (others.families() > 0 || others.systems() > 1)
}

// families counts the machines for which a slot has Linux code; 386 and amd64 count as one.
func (s slot) families() int {
	known := map[string]bool{}
	for _, p := range s.platforms {
		if arch, linux := strings.CutPrefix(p, "linux/"); linux {
			known[strings.Replace(arch, "386", "amd64", 1)] = true
		}
	}
	return len(known)
}

// systems counts the operating systems of a slot.
func (s slot) systems() int {
	known := map[string]bool{}
	for _, p := range s.platforms {
		os, _, _ := strings.Cut(p, "/")
		known[os] = true
	}
	return len(known)
}

// isAddOn reports whether a file is an add-on of Node.js or Bare by its name, which is the same on all systems. A
// package has one for each system on which it works.
func isAddOn(path string) bool {
	return strings.HasSuffix(path, ".node") || strings.HasSuffix(path, ".bare")
}
