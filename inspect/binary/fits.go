package binary

import (
	"cmp"
	"debug/elf"
	"path"
	"strings"
)

// Fits reports whether a program and a library for the same machine can be parts of one process, as far as both state
// their calling convention and their system. If not, it returns for messages what each of them is.
func Fits(program, library Fact) (fits bool, programIs, libraryIs string) {
	for _, property := range conventions() {
		a, b := property(program), property(library)
		if a != "" && b != "" && a != b {
			return false, a, b
		}
	}
	return true, "", ""
}

// conventions returns the properties that the parts of a process must agree on; each is "" if a file does not state
// it.
func conventions() []func(f Fact) string {
	return []func(f Fact) string{Fact.relocationWorld, Fact.abiPhrase, Fact.floatABI, Fact.mipsRelease, Fact.nanEncoding}
}

// relocationWorld returns the LoongArch world by the version in the flags, which determines the relocations, whatever
// the loader is.
func (f Fact) relocationWorld() string {
	if f.Arch != "loong64" {
		return ""
	}
	return either(loongVersion(f.Flags) == 0, "the old world", "the new world")
}

// abiPhrase returns the calling convention, if files for one machine have several.
func (f Fact) abiPhrase() string {
	switch f.Arch {
	case "ppc64", "ppc64le", "riscv64", "riscv", "loong64", "loong32", "mips64", "mips64le":
		return f.ABI
	}
	return ""
}

// floatABI returns the float ABI, if it is not part of the calling convention's name.
func (f Fact) floatABI() string {
	if strings.HasPrefix(f.Arch, "arm") || strings.HasPrefix(f.Arch, "mips") {
		return f.floatPhrase()
	}
	return ""
}

// mipsRelease distinguishes release 6 of MIPS from earlier ones, since it dropped instructions.
func (f Fact) mipsRelease() string {
	switch {
	case !strings.HasPrefix(f.Arch, "mips") || f.ISA == "":
		return ""
	case strings.HasSuffix(f.ISA, "r6"):
		return "release 6"
	}
	return "a release before 6"
}

// nanEncoding returns how MIPS code encodes NaN.
func (f Fact) nanEncoding() string {
	const ieee2008 = 0x400
	if machine := elf.Machine(f.Machine); machine != elf.EM_MIPS && machine != elf.EM_MIPS_RS3_LE {
		return ""
	}
	return either(f.Flags&ieee2008 != 0, "nan2008", "legacy nan")
}

// Convention returns the calling convention: lp64d, or hard float; "" if the machine has only one, or the file does
// not state it.
func (f Fact) Convention() string {
	var all []string
	for _, property := range []func(f Fact) string{Fact.abiPhrase, Fact.floatABI} {
		if s := property(f); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

// ABIOf returns the ABI of a file of the same kind as the named one: a world, a float ABI, a calling convention or a
// C library, spelled as in ABIs. It is "" if the file does not state it.
func (f Fact) ABIOf(name string) string {
	switch name {
	case string(OldWorld), string(NewWorld):
		return string(f.World)
	case string(Soft), string(Hard):
		return string(f.Float)
	case Glibc, Musl:
		return cmp.Or(Libc(f.Interp), f.Interp)
	}
	return f.ABI
}

// DescribeABI returns an ABI in words for messages: the new world, hard float.
func DescribeABI(abi string) string {
	switch abi {
	case string(OldWorld), string(NewWorld):
		return "the " + abi + " world"
	case string(Soft), string(Hard), string(Single), string(Double):
		return abi + " float"
	}
	return abi
}

// ABIs returns the names that ABIOf knows for a machine.
func ABIs(arch string) []string {
	libcs := []string{Glibc, Musl}
	switch arch {
	case "arm", "armbe":
		return append([]string{string(Hard), string(Soft)}, libcs...)
	case "loong64":
		return append([]string{string(NewWorld), string(OldWorld), "lp64d", "lp64f", "lp64s"}, libcs...)
	case "riscv64":
		return append([]string{"lp64d", "lp64f", "lp64"}, libcs...)
	case "ppc64", "ppc64le":
		return append([]string{"elfv1", "elfv2"}, libcs...)
	case "mips", "mipsle", "mips64", "mips64le":
		return append([]string{string(Hard), string(Soft)}, libcs...)
	}
	return libcs
}

// The C libraries that are recognised by the names of their loaders.
const (
	Glibc = "glibc"
	Musl  = "musl"
)

// Libc returns the C library of a loader by its path: glibc, musl, bionic or uclibc; "" if it is unknown.
func Libc(interp string) string {
	switch name := path.Base(interp); {
	case strings.HasPrefix(name, "ld-musl-"):
		return Musl
	case strings.HasPrefix(name, "ld-uClibc"), strings.HasPrefix(name, "ld64-uClibc"):
		return "uclibc"
	case interp == "/system/bin/linker", interp == "/system/bin/linker64":
		return "bionic"
	case strings.HasPrefix(name, "ld-linux"), strings.HasPrefix(name, "ld.so."), strings.HasPrefix(name, "ld64.so."):
		return Glibc
	}
	return ""
}
