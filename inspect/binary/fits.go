package binary

import (
	"cmp"
	"debug/elf"
	"path"
	"strings"
)

// Fits reports whether a program and a library of one machine can be parts of one process, as far as both say how they
// pass arguments and which system they are for; otherwise it says what each of them is, in words for a message.
func Fits(program, library Fact) (fits bool, is, other string) {
	for _, says := range conventions() {
		a, b := says(program), says(library)
		if a != "" && b != "" && a != b {
			return false, a, b
		}
	}
	return true, "", ""
}

// conventions are what the parts of a process have to agree on; each says "" where a file does not state it.
func conventions() []func(f Fact) string {
	return []func(f Fact) string{Fact.linkedIn, Fact.abiPhrase, Fact.floatOf, Fact.release, Fact.nan}
}

// linkedIn is the world of LoongArch that the version in the flags tells, whatever the loader: relocations go by that.
func (f Fact) linkedIn() string {
	if f.Arch != "loong64" {
		return ""
	}
	return either(loongVersion(f.Flags) == 0, "the old world", "the new world")
}

// abiPhrase is the calling convention where files of one machine have several.
func (f Fact) abiPhrase() string {
	switch f.Arch {
	case "ppc64", "ppc64le", "riscv64", "riscv", "loong64", "loong32", "mips64", "mips64le":
		return f.ABI
	}
	return ""
}

// floatOf is the float ABI where it is no part of the calling convention's name.
func (f Fact) floatOf() string {
	if strings.HasPrefix(f.Arch, "arm") || strings.HasPrefix(f.Arch, "mips") {
		return f.floatPhrase()
	}
	return ""
}

// release tells the sixth release of MIPS from those before: it dropped instructions that they have.
func (f Fact) release() string {
	switch {
	case !strings.HasPrefix(f.Arch, "mips") || f.ISA == "":
		return ""
	case strings.HasSuffix(f.ISA, "r6"):
		return "release 6"
	}
	return "a release before 6"
}

// nan is how MIPS writes what is not a number.
func (f Fact) nan() string {
	const ieee2008 = 0x400
	if machine := elf.Machine(f.Machine); machine != elf.EM_MIPS && machine != elf.EM_MIPS_RS3_LE {
		return ""
	}
	return either(f.Flags&ieee2008 != 0, "nan2008", "legacy nan")
}

// Convention is how the file passes arguments: lp64d, or hard float; "" where the machine has one way only, or the file
// does not say.
func (f Fact) Convention() string {
	var all []string
	for _, says := range []func(f Fact) string{Fact.abiPhrase, Fact.floatOf} {
		if s := says(f); s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

// ABIOf is what a file is in the place of an ABI: of the same kind, which is a world, a float ABI, a calling convention
// or a C library, as ABIs spells them. It is "" where the file does not say.
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

// Spoken is an ABI in words for a message: the new world, hard float.
func Spoken(abi string) string {
	switch abi {
	case string(OldWorld), string(NewWorld):
		return "the " + abi + " world"
	case string(Soft), string(Hard), string(Single), string(Double):
		return abi + " float"
	}
	return abi
}

// ABIs are the names of what ABIOf tells apart on a machine.
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

// The C libraries whose loaders are known by their names.
const (
	Glibc = "glibc"
	Musl  = "musl"
)

// Libc is whose loader a path names: glibc, musl, bionic or uclibc; "" where the name says nothing.
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
