package deep

import (
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
)

// strayRules are about files that nothing is known to need. The last rule covers all remaining files.
func strayRules() []Rule {
	return []Rule{
		{
			Name: "stray library", State: inspect.Mismatch, covers: (*suspect).inLoaderDirs,
			Covers: "libraries in and below the directories of the platform's loader, whatever their names say",
			Reason: "they are in the loader's cache, and plug-ins are loaded from there",
		},
		{
			Name: "directory", State: inspect.Warning, covers: (*suspect).inOwnDirectory,
			Covers: "files below a directory whose name contains their own machine (opt/tools-linux-x64/), and that nothing is known to start or load",
			Reason: "their path says that they are for another machine, but not why they are here",
		},
		{
			Name: "stray", State: inspect.Mismatch, covers: func(*suspect) bool { return true },
			Covers: "all other programs and libraries for another machine",
			Reason: "nothing says that they are meant for another machine, so they count as a mistake",
		},
	}
}

// inLoaderDirs reports whether a library lies in a directory of the platform's loader, or below one that only this
// platform uses.
func (s *suspect) inLoaderDirs() bool {
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
	return s.forOther() && slices.ContainsFunc(s.dirs(), s.clearlyNamedIn)
}

// clearlyNamedIn reports whether a directory names the machine of the file, or its system, without ambiguous words
// such as linux64.
func (s *suspect) clearlyNamedIn(dir string) bool {
	if s.verdict == binary.OtherOS {
		return s.isNamedIn(dir)
	}
	return slices.ContainsFunc(binary.NamedIn(dir), func(m binary.Machine) bool { return m.Is(s.fact.Arch) && !m.Vague })
}
