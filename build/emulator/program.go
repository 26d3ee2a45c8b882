package emulator

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// ProgramExit is the exit code of the programs that Program returns. It is not 0: a machine that runs nothing must not
// pass.
const ProgramExit = 42

// code holds a program's instructions: exit(ProgramExit), by the architecture's system call.
type code struct {
	flags uint32 // of the ELF header: the ABI, if an architecture has several
	words []uint32
	bytes []byte // for architectures with instructions of different lengths
}

func programs() map[string]code {
	const mips32, mips64 = 0x50001000, 0x60000000 // EF_MIPS_ARCH_32 with the O32 ABI; EF_MIPS_ARCH_64
	oldMIPS := code{flags: mips32, words: []uint32{0x24020fa1, 0x24040000 | ProgramExit, 0x0c}}
	newMIPS := code{flags: mips64, words: []uint32{0x240213c2, 0x24040000 | ProgramExit, 0x0c}}
	// ELFv2: the entry is not a descriptor
	power := code{flags: 2, words: []uint32{0x38000001, 0x38600000 | ProgramExit, 0x44000002}}
	return map[string]code{
		"386":      {bytes: []byte{0xb8, 1, 0, 0, 0, 0xbb, ProgramExit, 0, 0, 0, 0xcd, 0x80}},
		"amd64":    {bytes: []byte{0xb8, 60, 0, 0, 0, 0xbf, ProgramExit, 0, 0, 0, 0x0f, 0x05}},
		"arm":      {flags: 0x05000000, words: []uint32{0xe3a07001, 0xe3a00000 | ProgramExit, 0xef000000}},
		"arm64":    {words: []uint32{0xd2800ba8, 0xd2800000 | ProgramExit<<5, 0xd4000001}},
		"loong64":  {flags: 0x43, words: []uint32{0x03800000 | 93<<10 | 11, 0x03800000 | ProgramExit<<10 | 4, 0x002b0000}},
		"mips":     oldMIPS,
		"mips64":   newMIPS,
		"mips64le": newMIPS,
		"mipsle":   oldMIPS,
		"ppc64":    power,
		"ppc64le":  power,
		"riscv64":  {flags: 0, words: []uint32{0x00000893 | 93<<20, 0x00000513 | ProgramExit<<20, 0x00000073}},
		"s390x":    {bytes: []byte{0xa7, 0x29, 0, ProgramExit, 0x0a, 0x01}},
		// as on Alpha: number in r0
		"sw64": {words: []uint32{0x3e<<26 | 31<<16 | 1, 0x3e<<26 | 16<<21 | 31<<16 | ProgramExit, 0x83}},
	}
}

// Program returns a static ELF executable of arch, by Go's name, that only exits with ProgramExit; nil for an
// architecture that is not in Architectures.
func Program(arch string) []byte {
	e, known := emulators()[arch]
	if !known {
		return nil
	}
	c := programs()[arch]
	text := c.bytes
	for _, w := range c.words {
		text = e.order().AppendUint32(text, w)
	}
	return e.executable(c.flags, text)
}

// byteOrder is how an architecture writes numbers.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func (e Emulator) order() byteOrder {
	if elf.Data(e.Magic[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (e Emulator) wide() bool { return elf.Class(e.Magic[elf.EI_CLASS]) == elf.ELFCLASS64 }

const (
	loadedAt                   = 0x400000
	wideHeaders, narrowHeaders = 64 + 56, 52 + 32 // of ELF files: the file's and one segment's
)

// entry returns the address of the first instruction.
func (e Emulator) entry() uint32 {
	if e.wide() {
		return loadedAt + wideHeaders
	}
	return loadedAt + narrowHeaders
}

// executable returns an ELF file of one segment, which begins with its first instruction.
func (e Emulator) executable(flags uint32, text []byte) []byte {
	order := e.order()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: order.Uint16(e.Magic[18:]), Version: 1, Flags: flags, Phnum: 1}
	copy(h.Ident[:], e.Magic[:elf.EI_OSABI])
	const align = 0x10000
	if e.wide() {
		h.Entry, h.Phoff, h.Ehsize, h.Phentsize = uint64(e.entry()), 64, 64, 56
		size := uint64(wideHeaders + len(text))
		p := elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: loadedAt, Paddr: loadedAt,
			Filesz: size, Memsz: size, Align: align,
		}
		return assemble(order, h, p, text)
	}
	short := elf.Header32{
		Ident: h.Ident, Type: h.Type, Machine: h.Machine, Version: 1, Entry: e.entry(), Phoff: 52, Flags: flags, Ehsize: 52,
		Phentsize: 32, Phnum: 1,
	}
	size := uint32(narrowHeaders + len(text))
	p := elf.Prog32{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: loadedAt, Paddr: loadedAt,
		Filesz: size, Memsz: size, Align: align,
	}
	return assemble(order, short, p, text)
}

func assemble(order binary.ByteOrder, parts ...any) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		_ = binary.Write(&b, order, part) // fixed sizes into memory
	}
	return b.Bytes()
}
