package registrytest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// machine is what an ELF header says of its architecture.
type machine struct {
	id    elf.Machine
	class elf.Class
	order binary.ByteOrder
	flags uint32 // e_flags as the usual toolchains write them
}

// machineOf knows GOARCH names; the variant never changes the header of the architectures here.
func machineOf(arch string) (machine, bool) {
	little, big := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
	m, ok := map[string]machine{
		"386":      {elf.EM_386, elf.ELFCLASS32, little, 0},
		"amd64":    {elf.EM_X86_64, elf.ELFCLASS64, little, 0},
		"arm":      {elf.EM_ARM, elf.ELFCLASS32, little, 0x05000000},
		"arm64":    {elf.EM_AARCH64, elf.ELFCLASS64, little, 0},
		"loong64":  {elf.EM_LOONGARCH, elf.ELFCLASS64, little, 0x43},
		"mips64le": {elf.EM_MIPS, elf.ELFCLASS64, little, 0x80000007},
		"mips64":   {elf.EM_MIPS, elf.ELFCLASS64, big, 0x80000007},
		"ppc64le":  {elf.EM_PPC64, elf.ELFCLASS64, little, 2},
		"riscv64":  {elf.EM_RISCV, elf.ELFCLASS64, little, 5},
		"s390x":    {elf.EM_S390, elf.ELFCLASS64, big, 0},
		"sparc64":  {elf.EM_SPARCV9, elf.ELFCLASS64, big, 0},
		"xtensa":   {elf.EM_XTENSA, elf.ELFCLASS32, little, 0},
		"sw64":     {0x9916, elf.ELFCLASS64, little, 0}, // Sunway
	}[arch]
	return m, ok
}

// ELF is the smallest file that debug/elf and the kernel take for an executable of arch (a GOARCH name): the file header
// and one program header, 84 or 120 bytes. An arch it does not know gives no ELF but a text that says so.
func ELF(arch string) []byte {
	m, ok := machineOf(arch)
	if !ok {
		return fmt.Appendf(nil, "no ELF for %s\n", arch)
	}
	data := elf.ELFDATA2LSB
	if m.order == binary.ByteOrder(binary.BigEndian) {
		data = elf.ELFDATA2MSB
	}
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(m.class), byte(data), byte(elf.EV_CURRENT)}
	if m.class == elf.ELFCLASS32 {
		return m.encode(m.header32(ident))
	}
	return m.encode(m.header64(ident))
}

const loadAddress = 0x10000

func (m machine) header32(ident [elf.EI_NIDENT]byte) (header, program any) {
	const headerSize, programSize = 52, 32
	const size = headerSize + programSize
	header = elf.Header32{
		Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(m.id), Version: uint32(elf.EV_CURRENT),
		Entry: loadAddress + size, Phoff: headerSize, Flags: m.flags,
		Ehsize: headerSize, Phentsize: programSize, Phnum: 1,
	}
	program = elf.Prog32{
		Type: uint32(elf.PT_LOAD), Vaddr: loadAddress, Paddr: loadAddress, Filesz: size, Memsz: size,
		Flags: uint32(elf.PF_R | elf.PF_X), Align: loadAddress,
	}
	return header, program
}

func (m machine) header64(ident [elf.EI_NIDENT]byte) (header, program any) {
	const headerSize, programSize = 64, 56
	const size = headerSize + programSize
	header = elf.Header64{
		Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(m.id), Version: uint32(elf.EV_CURRENT),
		Entry: loadAddress + size, Phoff: headerSize, Flags: m.flags,
		Ehsize: headerSize, Phentsize: programSize, Phnum: 1,
	}
	program = elf.Prog64{
		Type: uint32(elf.PT_LOAD), Vaddr: loadAddress, Paddr: loadAddress, Filesz: size, Memsz: size,
		Flags: uint32(elf.PF_R | elf.PF_X), Align: loadAddress,
	}
	return header, program
}

func (m machine) encode(header, program any) []byte {
	var b bytes.Buffer
	must(binary.Write(&b, m.order, header))
	must(binary.Write(&b, m.order, program))
	return b.Bytes()
}

// must is for failures that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic("registrytest: " + err.Error())
	}
}
