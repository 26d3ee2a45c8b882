package binary

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Verdict is how well a platform runs a file, spelled as in JSON.
type Verdict string

// The verdicts, from good to bad. Only Wrong files should be in no image for the platform. What the others mean
// depends on the purpose of the file.
const (
	// Silent: the file is for any machine, or states none: scripts, Java, WebAssembly, .NET without native code, BPF,
	// text. It proves nothing about an image, even if the image starts it.
	Silent Verdict = "silent"
	// Right: the file is for the platform.
	Right Verdict = "right"
	// Unstated: the machine is right, and the file does not state which processor the code needs. A note.
	Unstated Verdict = "unstated"
	// Compatible: the file is for another machine whose programs the platform's processors also run: i386 in amd64. A
	// note.
	Compatible Verdict = "compatible"
	// Newer: the machine is right, and the code needs a newer processor than the platform promises. A note, or an error
	// in strict checks. (In linux/arm it is Wrong, since boards without the instructions are common.)
	Newer Verdict = "newer"
	// OtherOS: the file is for another system, whatever its machine. An image must not start it.
	OtherOS Verdict = "other-os"
	// Wrong: not all machines of the platform run the file, or none does.
	Wrong Verdict = "wrong"
)

// Runs reports whether the machines of a platform run a file, and why not, in one lower-case line, which is empty for
// Right.
//
// The platform must be in normal form (linux, arm64, 386; not Linux, aarch64, i386). Without a variant, it is the
// lowest of its architecture, or v7 for arm. Unlinked objects and core dumps are judged like programs for their
// machine.
//
// The rules: ARM code that needs a newer processor than the variant is Wrong, older code is Right; 32-bit ARM code in
// arm64 is Wrong, since AArch32 is optional; i386 code in amd64 is Compatible (in Windows too); every other pair of
// machines is Wrong, including x32 in amd64 and the two byte orders of one machine. Baselines are compared on amd64,
// arm, arm64, ppc64, ppc64le and riscv64. On amd64 and arm a missing baseline is a note.
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

// runsELF checks the machine before the system: Linux ignores EI_OSABI when it runs a program, so another system
// there does not excuse a foreign machine.
func runsELF(f Fact, p v1.Platform) (Verdict, string) {
	switch {
	case f.Device:
		return Silent, fmt.Sprintf("%s, which is not a processor that runs a system", f)
	case p.OS == "windows" || p.OS == "darwin":
		return OtherOS, fmt.Sprintf("%s, where %s needs %s", f, p.OS, nativeFormat(p.OS))
	}
	verdict, reason := runsOn(f, f.Arch, p)
	if verdict != Wrong && !sameSystem(f.OS, p.OS) {
		return OtherOS, fmt.Sprintf("%s, in %s", f, platformName(p))
	}
	return verdict, reason
}

// sameSystem reports whether a program for one system runs on another. Most programs do not name theirs. Android's
// kernel is Linux.
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
		return OtherOS, fmt.Sprintf("%s, in %s", f, platformName(p))
	}
	return runsOn(f, f.Arch, p)
}

// runsMachO judges a fat file as Right if one of its machines is.
func runsMachO(f Fact, p v1.Platform) (Verdict, string) {
	if f.OS != p.OS {
		return OtherOS, fmt.Sprintf("%s, in %s", f, platformName(p))
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
		return runsBaseline(f, p)
	case arch == "386" && p.Architecture == "amd64":
		return Compatible, fmt.Sprintf("%s, which %s runs too", f, platformName(p))
	case arch == "arm" && p.Architecture == "arm64":
		return Wrong, fmt.Sprintf("%s, in %s, where 32-bit programs are optional", f, platformName(p))
	}
	return Wrong, fmt.Sprintf("%s, in %s", f, platformName(p))
}

// runsBaseline compares the processor that the code needs with the one that the variant promises.
func runsBaseline(f Fact, p v1.Platform) (Verdict, string) {
	variant := p.Variant
	if variant == "" {
		variant = lowestLevel(p.Architecture)
	}
	needs, has := rank(p.Architecture, f.Baseline), rank(p.Architecture, variant)
	common := p.Architecture == "amd64" || p.Architecture == "arm"
	switch {
	case needs == unknownRank && common:
		return Unstated, fmt.Sprintf("%s: baseline not stated", f)
	case needs == unknownRank:
		return Right, ""
	case has == unknownRank:
		return Unstated, fmt.Sprintf("%s, in %s, whose variant is unknown", f, platformName(p))
	case needs > has && p.Architecture == "arm":
		return Wrong, fmt.Sprintf("%s, in %s, which promises %s only", f, platformName(p), variant)
	case needs > has:
		return Newer, fmt.Sprintf("%s, in %s, which promises %s only", f, platformName(p), variant)
	}
	return Right, ""
}

// platformName returns a platform for messages.
func platformName(p v1.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
