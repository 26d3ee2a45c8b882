package deep

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Rule is one row of the table of files that may be there although the platform does not run them as it is told to.
type Rule struct {
	Name   string
	Covers string // what it covers, for people
	Reason string
	// Own says that the rule holds for the programs that the image starts, its loader, libc and shell, too.
	Own bool
	// Linked says that the rule holds for the programs to which links in the directories of PATH lead.
	Linked bool
	// Quiet says that the file is not counted in a note.
	Quiet bool

	covers func(f suspect) bool
}

// suspect is a program that is not simply right.
type suspect struct {
	path     string
	fact     binary.Fact
	platform v1.Platform
	verdict  binary.Verdict
	// right reports whether a program for the platform is at the path.
	right func(path string) bool
	// flags and label are the exemptions that the caller and the image ask for.
	flags, label []Glob
	strict       bool
	deaf         bool // to the label
}

// foreign says that no machine of the platform runs the file.
func (s suspect) foreign() bool { return s.verdict == binary.Wrong }

// dirs are the directories of the path.
func (s suspect) dirs() []string {
	all := strings.Split(s.path, "/")
	return all[:len(all)-1]
}

func (s suspect) name() string { return s.path[strings.LastIndexByte(s.path, '/')+1:] }

// Rules is the whole table, in the order in which its rows are asked. The first that covers a file decides.
func Rules() []Rule { return slices.Concat(runningRules(), placeRules(), askedRules()) }

// runningRules are about files that the platform runs after all, or that nothing there would start.
func runningRules() []Rule {
	return []Rule{
		{
			Name: "i386 in amd64", Own: true, covers: func(s suspect) bool { return s.verdict == binary.Compatible },
			Covers: "programs for 386 in an image for amd64",
			Reason: "every amd64 processor runs them; 32-bit ARM in arm64 is an error, since there it is optional",
		},
		{
			Name: "hardware variants", Own: true, Quiet: true, covers: suspect.variant,
			Covers: "files of the platform's architecture below glibc-hwcaps/, whatever processor they need",
			Reason: "the loader takes them only on processors that have what they need",
		},
		{
			Name: "newer processor", Own: true, covers: func(s suspect) bool { return s.verdict == binary.Newer && !s.strict },
			Covers: "programs that need a newer processor than the platform promises (x86-64-v3 in linux/amd64), unless --strict",
			Reason: "many programs ask the processor first; in linux/arm newer code is an error, since old boards are common",
		},
		{
			Name: NotStated, Own: true, covers: func(s suspect) bool { return s.verdict == binary.Unstated },
			Covers: "programs of the right machine that do not say which of its processors they need",
			Reason: "compilers seldom write it down",
		},
		{
			Name: "other system", Linked: true, Quiet: true, covers: suspect.otherSystem,
			Covers: "programs for another operating system whose name or directory says so (t64.exe, x.dylib, prebuilds/darwin-arm64/), and for EFI",
			Reason: "packages bring them for all systems at once, as pip does with its launchers for Windows",
		},
	}
}

// placeRules are about files whose place says why they are there.
func placeRules() []Rule {
	return []Rule{
		{
			Name: "directory", covers: suspect.inOwnDirectory,
			Covers: "files below a directory whose name has their own architecture (prebuilds/linux-x64/, usr/aarch64-linux-gnu/)",
			Reason: "cross compilers, and packages that bring every architecture",
		},
		{
			Name: "sibling", covers: suspect.hasSibling,
			Covers: "a file whose name has its own architecture, beside one of that name for the right architecture (lib-x86_64.so, lib-aarch64.so)",
			Reason: "packages that choose when they run",
		},
		{
			Name: "emulator", Linked: true, covers: suspect.emulator,
			Covers: "qemu-ARCH, qemu-ARCH-static and qemu-system-ARCH",
			Reason: "left behind by builds under emulation, where they are for the builder's machine",
		},
		{
			Name: "firmware", covers: suspect.firmware,
			Covers: "files below lib/firmware/, usr/lib/firmware/, usr/share/qemu/ and the like, and code for microcontrollers",
			Reason: "it runs on a device, or in an emulator",
		},
		{
			Name: "testdata", covers: func(s suspect) bool {
				return (s.foreign() || s.verdict == binary.OtherOS) && slices.Contains(s.dirs(), "testdata")
			},
			Covers: "files below a directory named testdata",
			Reason: "inputs of tests, which nothing starts",
		},
	}
}

// askedRules are about files that somebody vouches for.
func askedRules() []Rule {
	return []Rule{
		{
			Name: "--allow-foreign", covers: func(s suspect) bool { return covered(s.path, s.flags) },
			Covers: "files that a GLOB of --allow-foreign covers (paths as in the layer, no leading slash; ** crosses slashes; 256 bytes at most)",
			Reason: "the caller's own word",
		},
		{
			Name: ruleLabel, covers: func(s suspect) bool { return !s.deaf && covered(s.path, s.label) },
			Covers: "files that a GLOB of the image's label " + Label + " covers (16 at most, with commas), unless --strict, --files or --cluster",
			Reason: "the image's own wish, which is shown as such",
		},
	}
}

// NotStated is the name of the rule whose notes say only that nothing is known.
const NotStated = "baseline not stated"

const ruleLabel = "label"

// Label is the label by which an image asks for exemptions.
const Label = "mtool.allow-foreign"

// variant: below glibc-hwcaps only the machine counts.
func (s suspect) variant() bool {
	return s.fact.Arch == s.platform.Architecture && slices.Contains(s.dirs(), "glibc-hwcaps")
}

func (s suspect) inOwnDirectory() bool {
	return s.foreign() && slices.ContainsFunc(s.dirs(), func(dir string) bool { return binary.Names(dir, s.fact.Arch) })
}

func (s suspect) hasSibling() bool {
	if !s.foreign() {
		return false
	}
	dir := strings.TrimSuffix(s.path, s.name())
	return slices.ContainsFunc(binary.Renamed(s.name(), s.fact.Arch, s.platform.Architecture), func(name string) bool {
		return s.right(dir + name)
	})
}

// emulator knows the names of QEMU's programs, which end in a machine; qemu-img and qemu-nbd are ordinary programs.
func (s suspect) emulator() bool {
	machine, ok := strings.CutPrefix(s.name(), "qemu-")
	if !ok || !s.foreign() {
		return false
	}
	machine = strings.TrimPrefix(strings.TrimSuffix(machine, "-static"), "system-")
	_, known := binary.Named(machine)
	return known
}

func (s suspect) firmware() bool {
	if !s.foreign() {
		return false
	}
	for _, dir := range firmwareDirs() {
		if strings.HasPrefix(s.path, dir) {
			return true
		}
	}
	return slices.Contains(strings.Fields(microcontrollers), s.fact.Arch)
}

func firmwareDirs() []string {
	return []string{
		"lib/firmware/", "usr/lib/firmware/", "usr/share/qemu/", "usr/share/seabios/", "usr/share/u-boot/", "usr/lib/u-boot/",
		"usr/share/openbios/", "usr/share/openhackware/", "usr/share/slof/", "usr/lib/ipxe/",
	}
}

// microcontrollers are machines on which no container runs, so that no image is for them.
const microcontrollers = `arc avr hexagon lanai msp430 nios2 rx tile v850 ve xtensa`
