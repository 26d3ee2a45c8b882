package deep

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/platform"
)

// Rule is one row of the table that decides on programs that do not simply fit the platform, by their purpose.
type Rule struct {
	Name   string
	Covers string // which files it covers, for people
	Reason string
	// State is the verdict on such a file: a note, a warning (a mismatch if strict) or a mismatch.
	State inspect.State
	// Quiet says that no note counts the file.
	Quiet bool

	covers func(f *suspect) bool
}

// suspect is a program that does not simply fit the platform.
type suspect struct {
	*judgement

	path    string
	fact    binary.Fact
	verdict binary.Verdict
	fault   fault // what is wrong with it, apart from its machine

	// Set by the rule that covers the file.
	unused bool   // nothing is known to start or load it, so it is only a warning
	need   need   // why it is needed
	pkg    string // the package that it belongs to
	only   string // the platforms of the package: "linux/amd64 only"
}

// foreign reports whether no processor of the platform runs the file.
func (s *suspect) foreign() bool { return s.verdict == binary.Wrong }

// forOther reports whether the file is for another machine or system. A program that only needs a newer processor is
// not: no name can explain why it is there.
func (s *suspect) forOther() bool {
	return s.verdict == binary.OtherOS || s.foreign() && s.fact.Arch != s.platform.Architecture
}

// dirs returns the directories of the path.
func (s *suspect) dirs() []string {
	all := strings.Split(s.path, "/")
	return all[:len(all)-1]
}

func (s *suspect) name() string { return s.path[strings.LastIndexByte(s.path, '/')+1:] }

// isNamedIn reports whether a text names the machine of the file, or its system.
func (s *suspect) isNamedIn(text string) bool {
	return s.verdict == binary.OtherOS && s.fact.OS != "" && namesSystem(text, s.fact) || binary.Names(text, s.fact.Arch)
}

// Rules returns the whole table in order. The first rule that covers a file decides, and the last covers every file.
func Rules() []Rule {
	return slices.Concat(runningRules(), multilibRules(), startedRules(), statedRules(), neededRules(), loaderRules(),
		objectRules(), payloadRules(), memberRules(), libcRules(), strayRules())
}

// runningRules are about files that the platform runs nevertheless.
func runningRules() []Rule {
	return []Rule{
		{
			Name: "i386 in amd64", State: inspect.Note, covers: func(s *suspect) bool { return s.verdict == binary.Compatible },
			Covers: "programs for 386 in an image for amd64",
			Reason: "every amd64 processor runs them; 32-bit ARM in arm64 is an error, since it is optional there",
		},
		{
			Name: "hardware variants", State: inspect.Note, Quiet: true, covers: (*suspect).hardwareVariant,
			Covers: "files for the platform's architecture below glibc-hwcaps/, and libraries below neon/, haswell/ and the like in the loader's directories, whatever processor they need",
			Reason: "the loader uses them only on processors that support them",
		},
		{
			Name: "newer processor", State: inspect.Note, covers: (*suspect).newerProcessor,
			Covers: "programs that need a newer processor than the platform promises (x86-64-v3 in linux/amd64), unless a note is a failure; in linux/arm only v8 libraries in v7, as distributions have them",
			Reason: "many programs check the processor before they use such code; in linux/arm other newer code is an error, since old boards are common",
		},
		{
			Name: NotStated, State: inspect.Note, covers: func(s *suspect) bool { return s.verdict == binary.Unstated },
			Covers: "programs for the right machine that do not state which processor they need",
			Reason: "compilers rarely record it",
		},
	}
}

// statedRules are about files that the caller exempts, or whose names say that they are not for this system.
func statedRules() []Rule {
	return []Rule{
		{
			Name: "allowed", State: inspect.Note,
			covers: func(s *suspect) bool { return coveredByGlob(s.path, s.options.AllowForeign) },
			Covers: "files that a GLOB of the user covers (paths as in the layer, no leading slash; ** crosses slashes; 256 bytes at most)",
			Reason: "the caller exempts them",
		},
		bootRule(),
		{
			Name: "other system", State: inspect.Note, Quiet: true, covers: (*suspect).otherSystem,
			Covers: "programs for another operating system whose name or directory says so (t64.exe, x.dylib, prebuilds/darwin-arm64/), or the os in their package.json, and programs for EFI; unless an npm package has optionalDependencies for that system and lacks those for this platform",
			Reason: "packages contain files for all systems, such as pip's launchers for Windows",
		},
		{
			Name: "emulator", State: inspect.Note, covers: (*suspect).isEmulator,
			Covers: "qemu-ARCH, qemu-ARCH-static and qemu-system-ARCH, and resin-xbuild in the same directory",
			Reason: "builds under emulation leave them behind; they are for the builder's machine",
		},
	}
}

// NotStated is the name of the rule whose notes only say that something is unknown.
const NotStated = "baseline not stated"

// Label is the label by which an image requests exemptions.
const Label = "mtool.allow-foreign"

// hardwareVariant reports whether the file lies where the loader looks by processor: below glibc-hwcaps, or below the
// directories that older loaders used. There only the machine counts.
func (s *suspect) hardwareVariant() bool {
	if s.fact.Arch != s.platform.Architecture {
		return false
	}
	older := func(dir string) bool { return slices.Contains(strings.Fields(hardwareDirs), dir) }
	return slices.Contains(s.dirs(), "glibc-hwcaps") || slices.ContainsFunc(s.dirs(), older) && s.inLoaderDirs()
}

// hardwareDirs are the subdirectories that glibc before 2.37 searches:
// https://man7.org/linux/man-pages/man8/ld.so.8.html
const hardwareDirs = "haswell xeon_phi avx512_1 neon vfp vfpv3 sse2 i686 power8 power9 z13 z14"

// newerProcessor reports whether the file needs a newer processor than promised, and that is allowed. Debian's armhf
// has libraries that use v8 instructions if the processor has them.
func (s *suspect) newerProcessor() bool {
	if s.options.Strict || s.verdict == binary.Newer {
		return s.verdict == binary.Newer && !s.options.Strict
	}
	v8 := s.foreign() && s.fact.Arch == "arm" && s.fact.Baseline == "v8" && s.platform.Architecture == "arm" &&
		s.platform.Variant != "v6"
	return v8 && s.platform.Variant != "v5" && s.fact.Kind == binary.ELFShared && s.fact.Interp == "" && s.inLoaderDirs()
}

// isEmulator reports whether the file is one of QEMU's emulators, whose names end in a machine. qemu-img and qemu-nbd
// are ordinary programs.
func (s *suspect) isEmulator() bool {
	return s.foreign() && (isQEMU(s.name()) || s.name() == "resin-xbuild" && s.hasNeighbour(isQEMU))
}

func isQEMU(name string) bool {
	machine, ok := strings.CutPrefix(name, "qemu-")
	machine = strings.TrimPrefix(strings.TrimSuffix(machine, "-static"), "system-")
	_, known := binary.Named(machine)
	return ok && known
}

// hasNeighbour reports whether the same directory has a file with such a name.
func (s *suspect) hasNeighbour(named func(name string) bool) bool {
	for e := range s.tree.In(strings.TrimSuffix(s.path, "/"+s.name())) {
		if named(e.Path[strings.LastIndexByte(e.Path, '/')+1:]) {
			return true
		}
	}
	return false
}

// platformOf returns the platform of a program, for messages.
func platformOf(f binary.Fact) string {
	os := f.OS
	if os == "" {
		os = "linux"
	}
	return platform.Format(v1.Platform{OS: os, Architecture: f.Arch})
}
