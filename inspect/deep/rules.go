package deep

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/platform"
)

// Rule is one row of the table by which a program is judged that the platform does not run as it is told to: by what it
// is for.
type Rule struct {
	Name   string
	Covers string // what it covers, for people
	Reason string
	// State is what such a file is: a note, a warning (a mismatch under strict rules) or a mismatch.
	State inspect.State
	// Quiet says that the file is not counted in a note.
	Quiet bool

	covers func(f *suspect) bool
}

// suspect is a program that is not simply right.
type suspect struct {
	*judgement

	path    string
	fact    binary.Fact
	verdict binary.Verdict
	fault   fault // what is wrong with it, apart from its machine

	// Rules that cover it say more.
	unused bool   // nothing is known to start or load it, which is why it is a warning
	need   need   // why it is needed
	pack   string // the package that it belongs to
	only   string // the platforms that the package is for: "linux/amd64 only"
}

// foreign reports whether no machine of the platform runs the file.
func (s *suspect) foreign() bool { return s.verdict == binary.Wrong }

// other reports whether the file is for another machine or system. A program that only needs a newer processor is not:
// no name explains why it is there.
func (s *suspect) other() bool {
	return s.verdict == binary.OtherOS || s.foreign() && s.fact.Arch != s.platform.Architecture
}

// dirs are the directories of the path.
func (s *suspect) dirs() []string {
	all := strings.Split(s.path, "/")
	return all[:len(all)-1]
}

func (s *suspect) name() string { return s.path[strings.LastIndexByte(s.path, '/')+1:] }

// named reports whether a text names the machine of the file, or its system.
func (s *suspect) named(text string) bool {
	return s.verdict == binary.OtherOS && s.fact.OS != "" && namesSystem(text, s.fact) || binary.Names(text, s.fact.Arch)
}

// Rules is the whole table, in the order in which its rows are asked. The first that covers a file decides, and the
// last covers every file.
func Rules() []Rule {
	return slices.Concat(runningRules(), multilibRules(), startedRules(), askedRules(), neededRules(), loaderRules(),
		objectRules(), payloadRules(), memberRules(), libcRules(), strayRules())
}

// runningRules are about files that the platform runs after all.
func runningRules() []Rule {
	return []Rule{
		{
			Name: "i386 in amd64", State: inspect.Note, covers: func(s *suspect) bool { return s.verdict == binary.Compatible },
			Covers: "programs for 386 in an image for amd64",
			Reason: "every amd64 processor runs them; 32-bit ARM in arm64 is an error, since there it is optional",
		},
		{
			Name: "hardware variants", State: inspect.Note, Quiet: true, covers: (*suspect).variant,
			Covers: "files of the platform's architecture below glibc-hwcaps/, and libraries below neon/, haswell/ and the like in the loader's directories, whatever processor they need",
			Reason: "the loader takes them only on processors that have what they need",
		},
		{
			Name: "newer processor", State: inspect.Note, covers: (*suspect).newer,
			Covers: "programs that need a newer processor than the platform promises (x86-64-v3 in linux/amd64), unless --strict; in linux/arm only v8 libraries in v7, where distributions have them",
			Reason: "many programs ask the processor first; in linux/arm newer code is an error else, since old boards are common",
		},
		{
			Name: NotStated, State: inspect.Note, covers: func(s *suspect) bool { return s.verdict == binary.Unstated },
			Covers: "programs of the right machine that do not say which of its processors they need",
			Reason: "compilers seldom write it down",
		},
	}
}

// askedRules are about files that somebody vouches for, or that say themselves that nobody starts them here.
func askedRules() []Rule {
	return []Rule{
		{
			Name: "--allow-foreign", State: inspect.Note,
			covers: func(s *suspect) bool { return covered(s.path, s.options.AllowForeign) },
			Covers: "files that a GLOB of --allow-foreign covers (paths as in the layer, no leading slash; ** crosses slashes; 256 bytes at most)",
			Reason: "the caller's own word",
		},
		bootRule(),
		{
			Name: "other system", State: inspect.Note, Quiet: true, covers: (*suspect).otherSystem,
			Covers: "programs for another operating system whose name or directory says so (t64.exe, x.dylib, prebuilds/darwin-arm64/) or the os of their package.json, and for EFI; not where an npm package has optionalDependencies for that system and lacks those for this platform",
			Reason: "packages bring them for all systems at once, as pip does with its launchers for Windows",
		},
		{
			Name: "emulator", State: inspect.Note, covers: (*suspect).emulator,
			Covers: "qemu-ARCH, qemu-ARCH-static and qemu-system-ARCH, and resin-xbuild beside one of them",
			Reason: "left behind by builds under emulation, where they are for the builder's machine",
		},
	}
}

// NotStated is the name of the rule whose notes say only that nothing is known.
const NotStated = "baseline not stated"

// Label is the label by which an image asks for exemptions.
const Label = "mtool.allow-foreign"

// variant: below glibc-hwcaps only the machine counts, and below the directories that loaders knew before it.
func (s *suspect) variant() bool {
	if s.fact.Arch != s.platform.Architecture {
		return false
	}
	older := func(dir string) bool { return slices.Contains(strings.Fields(hardwareDirs), dir) }
	return slices.Contains(s.dirs(), "glibc-hwcaps") || slices.ContainsFunc(s.dirs(), older) && s.served()
}

// hardwareDirs are what glibc before 2.37 looks for in its directories:
// https://man7.org/linux/man-pages/man8/ld.so.8.html
const hardwareDirs = "haswell xeon_phi avx512_1 neon vfp vfpv3 sse2 i686 power8 power9 z13 z14"

// newer: Debian's armhf has libraries that take instructions of v8 where there are any.
func (s *suspect) newer() bool {
	if s.options.Strict || s.verdict == binary.Newer {
		return s.verdict == binary.Newer && !s.options.Strict
	}
	v8 := s.foreign() && s.fact.Arch == "arm" && s.fact.Baseline == "v8" && s.platform.Architecture == "arm" &&
		s.platform.Variant != "v6"
	return v8 && s.platform.Variant != "v5" && s.fact.Kind == binary.ELFShared && s.fact.Interp == "" && s.served()
}

// emulator knows the names of QEMU's programs, which end in a machine; qemu-img and qemu-nbd are ordinary programs.
func (s *suspect) emulator() bool {
	return s.foreign() && (emulates(s.name()) || s.name() == "resin-xbuild" && s.beside(emulates))
}

func emulates(name string) bool {
	machine, ok := strings.CutPrefix(name, "qemu-")
	machine = strings.TrimPrefix(strings.TrimSuffix(machine, "-static"), "system-")
	_, known := binary.Named(machine)
	return ok && known
}

// beside reports whether there is a file with such a name in the directory.
func (s *suspect) beside(named func(name string) bool) bool {
	for e := range s.tree.In(strings.TrimSuffix(s.path, "/"+s.name())) {
		if named(e.Path[strings.LastIndexByte(e.Path, '/')+1:]) {
			return true
		}
	}
	return false
}

// platformOf is what a program is for, as messages have it.
func platformOf(f binary.Fact) string {
	os := f.OS
	if os == "" {
		os = "linux"
	}
	return platform.Format(v1.Platform{OS: os, Architecture: f.Arch})
}
