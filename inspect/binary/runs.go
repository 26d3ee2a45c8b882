package binary

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Verdict is what a file means for a platform, spelled as in JSON.
type Verdict string

// The verdicts, from good to bad. Only Wrong is one that no image of the platform should have; what the others mean
// depends on what the file is there for.
const (
	// Silent: the file is for any machine, or says nothing: scripts, Java, WebAssembly, .NET without native code, BPF,
	// text. It cannot vouch for an entry, and as the program that an image starts it proves nothing.
	Silent Verdict = "silent"
	// Right: the file is for the platform.
	Right Verdict = "right"
	// Unstated: the machine is right, and nothing says which of its processors the code needs. A note.
	Unstated Verdict = "unstated"
	// Compatible: the machine is another one, whose programs the platform's processors run too: i386 in amd64. A note.
	Compatible Verdict = "compatible"
	// Newer: the machine is right, and the code needs a newer processor than the platform promises. A note, or an error
	// for who is strict. (In linux/arm it is Wrong, since the boards that lack the instructions are common.)
	Newer Verdict = "newer"
	// OtherOS: the file is for another system, whatever its machine; a program of the image that is started must not be.
	OtherOS Verdict = "other-os"
	// Wrong: no machine of the platform runs the file, or not all of them do.
	Wrong Verdict = "wrong"
)

// Runs reports whether a file can run where a platform is promised, and why not, in one lower-case line; the line is
// empty for Right.
//
// The platform is taken literally, so it must be in normal form (linux, arm64, 386, not Linux, aarch64, i386); a
// variant may be left out, and is then the lowest of its architecture, v7 for arm. Unlinked objects and core dumps are
// judged as programs of their machine would be.
//
// The rules: ARM code that needs a newer processor than the variant is Wrong, older code is Right; 32-bit ARM code in
// arm64 is Wrong, since AArch32 is optional; i386 code in amd64 is Compatible (in Windows too); every other pair of
// machines, x32 in amd64 and the two byte orders of one machine included, is Wrong. Baselines are compared on amd64,
// arm, arm64, ppc64, ppc64le and riscv64, and one that is not stated is a note on amd64 and arm.
func Runs(f Fact, p v1.Platform) (Verdict, string) {
	switch f.Kind {
	case Other, Script, JavaArchive, JavaClass:
		return Silent, fmt.Sprintf("a %s is for any machine", f.Kind.phrase())
	case Wasm:
		return runsWasm(p)
	case PE:
		return runsPE(f, p)
	case MachO:
		return runsMachO(f, p)
	case ELFExecutable, ELFShared, ELFObject, ELFCore, ELFOther:
	}
	return runsELF(f, p)
}

func runsWasm(p v1.Platform) (Verdict, string) {
	if p.Architecture == "wasm" {
		return Right, ""
	}
	return Silent, "WebAssembly is for any machine"
}

// runsELF looks at the machine before the system: Linux runs a program whatever EI_OSABI says, so that cannot excuse a
// foreign machine.
func runsELF(f Fact, p v1.Platform) (Verdict, string) {
	switch {
	case f.Device:
		return Silent, fmt.Sprintf("%s, which is no processor of a system", f)
	case p.OS == "windows" || p.OS == "darwin":
		return OtherOS, fmt.Sprintf("%s, where %s needs %s", f, p.OS, nativeFormat(p.OS))
	}
	verdict, reason := runsOn(f, f.Arch, p)
	if verdict != Wrong && !sameSystem(f.OS, p.OS) {
		return OtherOS, fmt.Sprintf("%s, in %s", f, name(p))
	}
	return verdict, reason
}

// sameSystem reports whether a program of one system runs on another. Most do not name theirs. Android's kernel is
// Linux.
func sameSystem(program, platform string) bool {
	return program == "" || program == platform || program == "android" && platform == "linux" ||
		program == "linux" && platform == "android"
}

func nativeFormat(system string) string {
	if system == "windows" {
		return "PE"
	}
	return "Mach-O"
}

func runsPE(f Fact, p v1.Platform) (Verdict, string) {
	switch {
	case f.Managed && f.Arch == "":
		return Silent, ".NET code is for any machine"
	case f.Managed && f.OS == "": // tied to a machine, not to a system
	case f.OS != p.OS:
		return OtherOS, fmt.Sprintf("%s, in %s", f, name(p))
	}
	return runsOn(f, f.Arch, p)
}

// runsMachO is right if one of the machines is.
func runsMachO(f Fact, p v1.Platform) (Verdict, string) {
	if f.OS != p.OS {
		return OtherOS, fmt.Sprintf("%s, in %s", f, name(p))
	}
	if slices.Contains(f.Archs, p.Architecture) {
		return Right, ""
	}
	return runsOn(f, f.Arch, p)
}

// runsOn compares the machine, then the baseline.
func runsOn(f Fact, arch string, p v1.Platform) (Verdict, string) {
	switch {
	case arch == p.Architecture && arch != "":
		return reaches(f, p)
	case arch == "386" && p.Architecture == "amd64":
		return Compatible, fmt.Sprintf("%s, which %s runs too", f, name(p))
	case arch == "arm" && p.Architecture == "arm64":
		return Wrong, fmt.Sprintf("%s, in %s, where 32-bit programs are optional", f, name(p))
	}
	return Wrong, fmt.Sprintf("%s, in %s", f, name(p))
}

// reaches compares what the code needs with what the variant promises.
func reaches(f Fact, p v1.Platform) (Verdict, string) {
	variant := p.Variant
	if variant == "" {
		variant = lowest(p.Architecture)
	}
	needs, has := rank(p.Architecture, f.Baseline), rank(p.Architecture, variant)
	common := p.Architecture == "amd64" || p.Architecture == "arm"
	switch {
	case needs == unranked && common:
		return Unstated, fmt.Sprintf("%s: baseline not stated", f)
	case needs == unranked:
		return Right, ""
	case has == unranked:
		return Unstated, fmt.Sprintf("%s, in %s, a variant that nothing is known about", f, name(p))
	case needs > has && p.Architecture == "arm":
		return Wrong, fmt.Sprintf("%s, in %s, which promises %s only", f, name(p), variant)
	case needs > has:
		return Newer, fmt.Sprintf("%s, in %s, which promises %s only", f, name(p), variant)
	}
	return Right, ""
}

// name is a platform in messages.
func name(p v1.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
