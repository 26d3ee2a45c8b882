package registrytest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// machine is the architecture in an ELF header.
type machine struct {
	id    elf.Machine
	class elf.Class
	order binary.ByteOrder
	flags uint32 // e_flags as the usual toolchains write them
}

// machineOf returns the machine of a GOARCH name, or of a name for another ABI or machine, such as armel and armhf,
// loong64-old, riscv64-lp64, ppc64le-elfv1, mips64le-r6, sw64-new, x32. No variant changes the header.
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

		"armel":         {elf.EM_ARM, elf.ELFCLASS32, little, 0x05000200},
		"armhf":         {elf.EM_ARM, elf.ELFCLASS32, little, 0x05000400},
		"loong64-old":   {elf.EM_LOONGARCH, elf.ELFCLASS64, little, 0x03},
		"mipsle":        {elf.EM_MIPS, elf.ELFCLASS32, little, 0x70001007},
		"mips64p32le":   {elf.EM_MIPS, elf.ELFCLASS32, little, 0x80000027},
		"mips64le-r6":   {elf.EM_MIPS, elf.ELFCLASS64, little, 0xa0000407},
		"ppc64":         {elf.EM_PPC64, elf.ELFCLASS64, big, 1},
		"ppc64le-elfv1": {elf.EM_PPC64, elf.ELFCLASS64, little, 1},
		"riscv64-lp64":  {elf.EM_RISCV, elf.ELFCLASS64, little, 1},
		"s390":          {elf.EM_S390, elf.ELFCLASS32, big, 0},
		"sw64-new":      {268, elf.ELFCLASS64, little, 0},
		"none":          {elf.EM_NONE, elf.ELFCLASS64, little, 0}, // some tools write this
		"x32":           {elf.EM_X86_64, elf.ELFCLASS32, little, 0},
	}[arch]
	return m, ok
}

// ELF returns the smallest file that debug/elf and the kernel accept as an executable of arch (a GOARCH name): the file
// header and one program header, 84 or 120 bytes. After a 64-bit arch, "-4k" aligns it for pages of 4 KiB instead of
// 64. For an unknown arch it returns a text.
func ELF(arch string) []byte {
	if arch, small := strings.CutSuffix(arch, "-4k"); small {
		const align, page = 64 + 48, 4 << 10
		data := ELF(arch)
		binary.LittleEndian.PutUint64(data[align:], page)
		return data
	}
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

// must panics on errors that only a bug in a test can cause.
func must(err error) {
	if err != nil {
		panic("registrytest: " + err.Error())
	}
}
