package deep

import (
	"slices"
	"strings"
	"unicode"

	"mtool/inspect/binary"
)

// otherSystem reports whether a program for another system says so by its path; one that does not may be started or
// loaded here by mistake. EFI programs always count, since no system starts them.
func (s *suspect) otherSystem() bool {
	if s.verdict != binary.OtherOS {
		return false
	}
	named := namesSystem(s.path, s.fact) && (!isAddOn(s.path) || !s.lacksPlatform())
	return s.fact.OS == "efi" || (named || s.claimedByPackage()) && !s.lacksOption()
}

// claimedByPackage reports whether the package states that it is for the file's system only, as fsevents does.
func (s *suspect) claimedByPackage() bool {
	k := s.packages().judgedWith(s.path)
	return k != nil && k.manager == "npm" && len(k.claims) > 0 && !slices.ContainsFunc(k.claims, func(claim string) bool {
		return strings.HasPrefix(claim, "!") || strings.Contains(claim, "linux") || !namesSystem(claim, s.fact)
	})
}

// lacksOption reports whether a package with optionalDependencies for each platform lacks the one for this platform:
// then its files for another system come from a node_modules of that system.
func (s *suspect) lacksOption() bool {
	k := s.packages().judgedWith(s.path)
	if k == nil {
		return false
	}
	return slices.ContainsFunc(s.packages().parents[k], func(parent *pkg) bool {
		forThis := func(name string) bool {
			return sameFamily("node_modules/"+name, k.root) && binary.Names(name, s.platform.Architecture) &&
				strings.Contains(name, s.platform.OS)
		}
		return !parent.hasCounterpart(k) && slices.ContainsFunc(parent.options, forThis)
	})
}

// namesSystem reports whether a path or a name says that a file is for the system of its format.
func namesSystem(path string, f binary.Fact) bool {
	named := namesOfSystem(f)
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

// systemNames has the words by which paths name a system, in lower case, separated by blanks.
type systemNames struct {
	suffixes string
	parts    string // found anywhere in a path
	words    string // found between non-letters
}

// namesOfSystem returns the names of the system of a program's format.
func namesOfSystem(f binary.Fact) systemNames {
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
		binary.JavaArchive, binary.JavaClass, binary.Wasm, binary.Other:
	}
	return systemNames{
		parts: "linux android freebsd netbsd openbsd dragonfly solaris sunos illumos hpux haiku qnx unix wsl",
	}
}
