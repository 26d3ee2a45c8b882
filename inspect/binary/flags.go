package binary

import (
	"debug/elf"
	enc "encoding/binary"
	"path"
	"strings"
)

// elfFlags reads e_flags, whose meaning depends on the machine.
func elfFlags(f *Fact) {
	switch elf.Machine(f.Machine) {
	case elf.EM_ARM:
		armFlags(f)
	case elf.EM_MIPS, elf.EM_MIPS_RS3_LE:
		mipsFlags(f)
	case elf.EM_RISCV:
		riscvFlags(f)
	case elf.EM_LOONGARCH:
		loongFlags(f)
	case elf.EM_PPC64:
		switch f.Flags & 3 {
		case 1:
			f.ABI = "elfv1"
		case 2:
			f.ABI = "elfv2"
		}
	}
}

// armFlags reads ARM's flags: https://github.com/ARM-software/abi-aa/blob/main/aaelf32/aaelf32.rst#elf-header
func armFlags(f *Fact) {
	const version5, soft, hard = 5, 0x200, 0x400
	version := f.Flags >> 24
	if version == 0 {
		return // before the EABI, the bits meant something else
	}
	f.ABI = "eabi" + string(rune('0'+version%10))
	if version < version5 {
		return
	}
	switch f.Flags & (soft | hard) {
	case soft:
		f.Float = Soft
	case hard:
		f.Float = Hard
	}
}

// mipsFlags reads MIPS's flags: https://sourceware.org/git/?p=binutils-gdb.git;f=include/elf/mips.h
func mipsFlags(f *Fact) {
	const n32 = 0x20
	switch abi := f.Flags >> 12 & 0xf; {
	case f.Bits == 64:
		f.ABI = "n64"
	case f.Flags&n32 != 0:
		f.ABI = "n32"
		f.Arch = either(f.Order == Little, "mips64p32le", "mips64p32")
	case abi == 2:
		f.ABI = "o64"
	case abi == 3:
		f.ABI = "eabi32"
	case abi == 4:
		f.ABI = "eabi64"
	default:
		f.ABI = "o32" // not all compilers set it
	}
	levels := [16]string{
		"mips1", "mips2", "mips3", "mips4", "mips5", "mips32", "mips64", "mips32r2", "mips64r2", "mips32r6", "mips64r6",
	}
	f.ISA = levels[f.Flags>>28]
}

// riscvFlags reads RISC-V's flags:
// https://github.com/riscv-non-isa/riscv-elf-psabi-doc/blob/master/riscv-elf.adoc#file-header
func riscvFlags(f *Fact) {
	const compressed, embedded = 1, 8
	floats := [4]Float{Soft, Single, Double, Quad}
	suffixes := [4]string{"", "f", "d", "q"}
	abi := f.Flags >> 1 & 3
	f.Float = floats[abi]
	f.ABI = either(f.Bits == 64, "lp64", "ilp32") + suffixes[abi] + either(f.Flags&embedded != 0, "e", "")
	// the attributes may replace it
	f.ISA = either(f.Bits == 64, "rv64", "rv32") + either(f.Flags&compressed != 0, "c", "")
}

// loongFlags reads LoongArch's flags:
// https://github.com/loongson/la-abi-specs/blob/release/laelf.adoc#e_flags-identifies-abi-type-and-version
func loongFlags(f *Fact) {
	f.World = NewWorld
	if loongVersion(f.Flags) == 0 {
		f.World = OldWorld // the loader may change it
	}
	floats := [8]Float{1: Soft, 2: Single, 3: Double}
	suffixes := [8]string{1: "s", 2: "f", 3: "d"}
	abi := f.Flags & 7
	f.Float = floats[abi]
	if f.Float != "" {
		f.ABI = either(f.Bits == 64, "lp64", "ilp32") + suffixes[abi]
	}
}

// loongVersion returns the version of relocations, which is 0 in the old world.
func loongVersion(flags uint32) uint32 { return flags >> 6 & 3 }

// loongInterp sets the world by the loader, if there is one, since the first toolchains of the new world did not
// write the version.
func loongInterp(f *Fact) {
	if elf.Machine(f.Machine) != elf.EM_LOONGARCH {
		return
	}
	switch _, name := path.Split(f.Interp); {
	case name == "ld.so.1":
		f.World = OldWorld
	case strings.HasPrefix(name, "ld-linux-loongarch"), strings.HasPrefix(name, "ld-musl-loongarch"):
		f.World = NewWorld
	}
}

// mipsFlags reads .MIPS.abiflags: version, ISA level and revision, sizes of registers, float ABI.
func (e *elfFile) mipsFlags(p part) error {
	const size, double, soft = 24, 1, 3
	b := e.at(p.off, size)
	if len(b) < size || e.header.order.Uint16(b) != 0 {
		return nil
	}
	if b[2] >= 32 { // earlier levels are in e_flags
		e.fact.ISA = "mips" + decimal(b[2])
		if b[3] > 1 {
			e.fact.ISA += "r" + decimal(b[3])
		}
	}
	switch fp := b[7]; {
	case fp == soft:
		e.fact.Float = Soft
	case fp >= double:
		e.fact.Float = Hard
	}
	return nil
}

// decimal formats a number below 100.
func decimal(n byte) string {
	if n >= 10 {
		return string([]byte{'0' + n/10%10, '0' + n%10})
	}
	return string([]byte{'0' + n})
}

// uleb reads a number in LEB128 and returns the rest; false if there is none.
func uleb(b []byte) (uint64, []byte, bool) {
	v, n := enc.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}
