package deep

import (
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
)

// strayRules are about files that nothing is known to need. The last row covers all that is left.
func strayRules() []Rule {
	return []Rule{
		{
			Name: "stray library", State: inspect.Mismatch, covers: (*suspect).served,
			Covers: "libraries in and below the directories of the platform's loader, whatever their names say",
			Reason: "its cache has them, and plug-ins are loaded from there",
		},
		{
			Name: "directory", State: inspect.Warning, covers: (*suspect).inOwnDirectory,
			Covers: "files below a directory whose name has their own machine (opt/tools-linux-x64/), and that nothing is known to start or load",
			Reason: "they say that they are for another machine; what they are for here, they do not say",
		},
		{
			Name: "stray", State: inspect.Mismatch, covers: func(*suspect) bool { return true },
			Covers: "all other programs and libraries for another machine",
			Reason: "nothing says that they are there for another machine, so that they are taken for a mistake",
		},
	}
}

// served reports whether a library lies in or below a directory of the loader that is the platform's alone.
func (s *suspect) served() bool {
	dir := strings.TrimSuffix(s.path, "/"+s.name())
	if !isLibrary(s.name()) {
		return false
	}
	if slices.Contains(s.loaderDirs(), dir) {
		return true
	}
	for _, triplet := range triplets(s.platform.Architecture) {
		if strings.HasPrefix(dir, "lib/"+triplet+"/") || strings.HasPrefix(dir, "usr/lib/"+triplet+"/") {
			return true
		}
	}
	return false
}

func (s *suspect) inOwnDirectory() bool {
	return s.other() && slices.ContainsFunc(s.dirs(), s.namedClearly)
}

// namedClearly leaves out words that do not say which machine it is: linux64.
func (s *suspect) namedClearly(dir string) bool {
	if s.verdict == binary.OtherOS {
		return s.named(dir)
	}
	return slices.ContainsFunc(binary.NamedIn(dir), func(m binary.Machine) bool { return m.Is(s.fact.Arch) && !m.Vague })
}
