package deep

import (
	"slices"
	"strings"

	"mtool/inspect/binary"
)

// lacks reports whether the package has native code that Linux would take, and none for this platform, for which
// packages that have more than one machine are made. One for x86 only may do without: it often is what a debugger or
// profiler adds there.
func (s *suspect) lacks() bool {
	made := slices.Contains([]string{"amd64", "arm64"}, s.platform.Architecture)
	if !made || !s.several() {
		return false
	}
	k := s.packages().of(s.path)
	if k == nil || k.right && !k.shared || s.slot().right {
		return false
	}
	others := s.slot()
	bound := !k.neutral && s.verdict != binary.OtherOS && buildsImages(s.fact) && binary.Names(base(k.root), s.fact.Arch)
	return bound || others.families() > 1 || isAddOn(s.path) && (others.families() > 0 || others.systems() > 1)
}

// families counts the machines for whose Linux a slot has code; 386 and amd64 are one.
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

// isAddOn reports whether a name is one of what Node.js or Bare loads, whatever the system. A package has them for the
// systems on which it works.
func isAddOn(path string) bool {
	return strings.HasSuffix(path, ".node") || strings.HasSuffix(path, ".bare")
}
