package deep

import (
	"slices"
	"strings"
	"unicode"

	"mtool/inspect/binary"
)

// otherSystem reports whether a program for another system says so by its name or place. One that does not is taken for
// a program of this system by whoever starts or loads it. What EFI loads is never started by a system.
func (s *suspect) otherSystem() bool {
	if s.verdict != binary.OtherOS {
		return false
	}
	named := namesSystem(s.path, s.fact) && (!isAddOn(s.path) || !s.lacks())
	return s.fact.OS == "efi" || (named || s.claimed()) && !s.lacking()
}

// claimed reports whether the package says that it is for the system of the file only, as fsevents does.
func (s *suspect) claimed() bool {
	k := s.packages().of(s.path)
	return k != nil && k.manager == "npm" && len(k.claims) > 0 && !slices.ContainsFunc(k.claims, func(claim string) bool {
		return strings.HasPrefix(claim, "!") || strings.Contains(claim, "linux") || !namesSystem(claim, s.fact)
	})
}

// lacking reports whether a package that has one of its optionalDependencies for each platform is without the one for
// this: what is there for another system came with a node_modules of that system.
func (s *suspect) lacking() bool {
	k := s.packages().of(s.path)
	if k == nil {
		return false
	}
	return slices.ContainsFunc(s.packages().parents[k], func(parent *pack) bool {
		ours := func(name string) bool {
			return kin("node_modules/"+name, k.root) && binary.Names(name, s.platform.Architecture) &&
				strings.Contains(name, s.platform.OS)
		}
		return !parent.has(k) && slices.ContainsFunc(parent.options, ours)
	})
}

// namesSystem reports whether a path, or a name, says that a file is for the system whose format it has.
func namesSystem(path string, f binary.Fact) bool {
	named := formatOf(f)
	path = strings.ToLower(path)
	for suffix := range strings.FieldsSeq(named.suffixes) {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	for part := range strings.FieldsSeq(named.parts) {
		if strings.Contains(path, part) {
			return true
		}
	}
	words := strings.Fields(named.words)
	return slices.ContainsFunc(strings.FieldsFunc(path, notLetter),
		func(word string) bool { return slices.Contains(words, word) })
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// systemNames are how files and directories say for which system they are, in small letters, parted by blanks.
type systemNames struct {
	suffixes string
	parts    string // anywhere in a path
	words    string // between what is no letter
}

// formatOf are the names of the system whose format a program has.
func formatOf(f binary.Fact) systemNames {
	switch f.Kind {
	case binary.PE:
		return systemNames{
			suffixes: ".exe .dll .pyd .sys .efi .ocx .drv .cpl .scr .com .mui .winmd .xll .ax .acm .tsp",
			parts:    "win32 win64 windows mingw cygwin msys",
			words:    "win mswin winrt uwp nt uefi efi",
		}
	case binary.MachO:
		return systemNames{
			suffixes: ".dylib .jnilib .bundle",
			parts:    "darwin macos osx apple iphone maccatalyst .framework/ .app/ .dsym/ .bundle/ .xcframework/",
			words:    "mac ios tvos watchos iossimulator",
		}
	case binary.ELFExecutable, binary.ELFShared, binary.ELFObject, binary.ELFCore, binary.ELFOther, binary.Script,
		binary.JavaArchive,
		binary.JavaClass, binary.Wasm, binary.Other:
	}
	return systemNames{
		parts: "linux android freebsd netbsd openbsd dragonfly solaris sunos illumos hpux haiku qnx unix wsl",
	}
}
