package binary

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the kind of a file, spelled as in JSON.
type Kind string

// The kinds.
const (
	// Other is any other file: text, data, an empty file, a plain zip, a DOS program.
	Other Kind = "other"
	// ELFExecutable is linked for a fixed address (ET_EXEC).
	ELFExecutable Kind = "elf-executable"
	// ELFShared is a shared object or a position-independent program (ET_DYN); with Fact.Interp it can be started.
	ELFShared Kind = "elf-shared"
	// ELFObject is not linked yet (ET_REL): *.o, kernel modules, BPF programs.
	ELFObject Kind = "elf-object"
	// ELFCore is a core dump (ET_CORE).
	ELFCore Kind = "elf-core"
	// ELFOther is an ELF file of a system-specific type.
	ELFOther Kind = "elf-other"
	// PE is a program or library for Windows, EFI or .NET.
	PE Kind = "pe"
	// MachO is a program, library or object for Darwin, for one machine or (fat) for several.
	MachO Kind = "macho"
	// Script begins with "#!".
	Script Kind = "script"
	// JavaArchive is a zip with a Java manifest or classes.
	JavaArchive Kind = "java-archive"
	// JavaClass is one class, for any machine.
	JavaClass Kind = "java-class"
	// Wasm is a WebAssembly module or component.
	Wasm Kind = "wasm"
)

// ELF reports whether the file is an ELF file of any type.
func (k Kind) ELF() bool { return strings.HasPrefix(string(k), "elf-") }

// Order is a byte order.
type Order string

// The byte orders; "" if a format has none.
const (
	Little Order = "little"
	Big    Order = "big"
)

// Float says how floating-point numbers are passed between functions, on machines with several conventions.
type Float string

// The float ABIs; "" if the file does not state it, or the machine has only one.
const (
	Soft   Float = "soft"
	Hard   Float = "hard"
	Single Float = "single" // hard, 32 bits wide (RISC-V, LoongArch)
	Double Float = "double" // hard, 64 bits wide (RISC-V, LoongArch)
	Quad   Float = "quad"   // hard, 128 bits wide (RISC-V)
)

// World is one of the two incompatible ABIs of LoongArch.
type World string

// The old world is the ABI of the vendor's first distributions; the new world that of Linux 5.19 and glibc 2.36.
const (
	OldWorld World = "old"
	NewWorld World = "new"
)

// The sources of a baseline.
const (
	FromGo         = "go build info"
	FromAttributes = "elf attributes"
	FromProperty   = "gnu property"
)

// Fact is what a file says about itself. The zero value of a member means that the file does not state it.
type Fact struct {
	Kind Kind `json:"kind"`
	// OS is a GOOS, or "android" or "efi". ELF files for Linux need not state it, and most do not.
	OS string `json:"os,omitempty"`
	// Arch is the machine as GOARCH spells it, else as Debian does (x32, alpha, sh4), else as binutils do. It is "" if
	// Machine is not in the table, if the code is for any machine, and for a fat Mach-O, whose machines are in Archs.
	Arch string `json:"arch,omitempty"`
	// Archs are the machines of a fat Mach-O, in its order; nil otherwise.
	Archs []string `json:"archs,omitempty"`
	// Machine is the number in the header: e_machine, IMAGE_FILE_MACHINE_* or cputype.
	Machine uint32 `json:"machine,omitempty"`
	Bits    int    `json:"bits,omitempty"` // 32 or 64
	Order   Order  `json:"order,omitempty"`
	// OSABI is EI_OSABI, verbatim. Linux ignores it.
	OSABI uint8 `json:"osabi,omitempty"`
	// Flags are e_flags, the characteristics of a PE or the cpusubtype of a Mach-O, verbatim.
	Flags uint32 `json:"flags,omitempty"`
	// Interp is the program that the kernel starts in the file's place: PT_INTERP, or the path after "#!". It is kept
	// verbatim, including a carriage return at its end, as by the kernel.
	Interp string `json:"interp,omitempty"`
	// InterpArg is the one argument that a script passes to its interpreter, including blanks within it.
	InterpArg string `json:"interpArg,omitempty"`
	// Script is the body of a short shell script without its first line and comments; "" if it is longer.
	Script string `json:"script,omitempty"`
	// ABI is the calling convention, if a machine has several: o32, n32, n64, elfv1, elfv2, lp64d, ilp32e, eabi5.
	ABI   string `json:"abi,omitempty"`
	Float Float  `json:"float,omitempty"`
	// World is OldWorld or NewWorld for a LoongArch file. The worlds differ in their system calls, loaders and
	// relocation numbers. It is "" for Go programs without a loader, which run in both.
	World World `json:"world,omitempty"`
	// Page is the largest page size in bytes with which the file can be loaded, on machines with several page sizes:
	// arm64, loong64, mips, ppc64.
	Page int64 `json:"page,omitempty"`
	// Baseline is the oldest processor that runs the code, spelled as a platform's variant: v4 to v8 and v9 (arm), v1 to
	// v4 (amd64), v8.0 to v9.5 (arm64), power8 (ppc64, ppc64le), rva20u64 (riscv64).
	Baseline string `json:"baseline,omitempty"`
	// BaselineFrom is where Baseline was stated: FromGo, FromAttributes or FromProperty.
	BaselineFrom string `json:"baselineFrom,omitempty"`
	// ISA is the instruction set, if it is stated separately from a baseline: mips32r2,
	// rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0.
	ISA string `json:"isa,omitempty"`
	// BuildID is the GNU build id in hexadecimal.
	BuildID string `json:"buildId,omitempty"`
	// Dynamic is what the loader must find; nil if that is nothing, or Options.Whole was not set.
	Dynamic *Dynamic `json:"dynamic,omitempty"`
	// Go is set for programs of the Go toolchain.
	Go *Go `json:"go,omitempty"`
	// Module says that an object is a Linux kernel module, since it has .modinfo. It is only set with Options.Whole.
	Module bool `json:"module,omitempty"`
	// Device says that the code is not for a processor that runs an operating system: BPF, graphics cards.
	Device bool `json:"device,omitempty"`
	// Managed says that the file holds .NET code. With an empty Arch it is for any machine and any system.
	Managed bool `json:"managed,omitempty"`
	// Incomplete says that the file refers to parts that were not read: after the first 64 KiB without Options.Whole,
	// before the current position of the stream, or after the end of a truncated file.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Go is what the Go toolchain records in a program.
type Go struct {
	Version string `json:"version,omitempty"` // go1.26.8
	BuildID string `json:"buildId,omitempty"`
	OS      string `json:"os,omitempty"`   // GOOS
	Arch    string `json:"arch,omitempty"` // GOARCH
	// Path is the import path of the main package, and Mode the build mode: "plugin" for what plugin.Open loads. Both
	// are "" if they are unreasonably long.
	Path string `json:"path,omitempty"`
	Mode string `json:"mode,omitempty"`
	// the value of GOARM, GOAMD64, GOARM64, GO386, GOMIPS, GOMIPS64, GOPPC64 or GORISCV64
	Level string `json:"level,omitempty"`
}

// String returns a phrase for messages: "ELF executable for arm (v7, hard float)".
func (f Fact) String() string {
	var details []string
	for _, d := range []string{f.Baseline, f.floatPhrase(), f.worldPhrase()} {
		if d != "" {
			details = append(details, d)
		}
	}
	s := f.Kind.phrase()
	if f.Managed {
		s = ".NET code"
	}
	if target := f.target(); target != "" {
		s += " for " + target
	}
	if len(details) > 0 {
		s += " (" + strings.Join(details, ", ") + ")"
	}
	return s
}

// target returns system and machine, as far as they are known.
func (f Fact) target() string {
	arch := f.Arch
	switch {
	case len(f.Archs) > 0:
		arch = strings.Join(slices.Compact(slices.Clone(f.Archs)), " and ")
	case arch == "" && f.Managed:
		return "any machine"
	case arch == "" && f.Machine == 0 && f.Kind.ELF():
		return "no machine (e_machine 0)"
	case arch == "" && f.Machine != 0:
		arch = fmt.Sprintf("unknown machine %#x", f.Machine)
	}
	if f.OS == "" || f.OS == "linux" || arch == "" {
		return arch
	}
	return f.OS + "/" + arch
}

func (f Fact) floatPhrase() string {
	if f.Float == "" {
		return ""
	}
	return string(f.Float) + " float"
}

func (f Fact) worldPhrase() string {
	if f.World == "" {
		return ""
	}
	return string(f.World) + " world"
}

// phrase returns the kind in words.
func (k Kind) phrase() string {
	switch k {
	case ELFExecutable:
		return "ELF executable"
	case ELFShared:
		return "ELF shared object"
	case ELFObject:
		return "ELF object"
	case ELFCore:
		return "ELF core dump"
	case ELFOther:
		return "ELF file"
	case PE:
		return "PE file"
	case MachO:
		return "Mach-O file"
	case Script:
		return "script"
	case JavaArchive:
		return "Java archive"
	case JavaClass:
		return "Java class"
	case Wasm:
		return "WebAssembly"
	case Other:
	}
	return "file of no known format"
}
