package registrytest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Program returns an ELF executable of arch, like ELF, with interp as its loader unless that is "". The names armv5 to
// armv8 add the version to .ARM.attributes, and amd64v3 adds a GNU property that requires x86-64-v3.
func Program(arch, interp string) []byte { return program(arch, interp, elf.ET_EXEC) }

// SharedObject returns an ELF library of arch.
func SharedObject(arch string) []byte { return program(arch, "", elf.ET_DYN) }

func program(arch, interp string, kind elf.Type) []byte {
	version := ""
	if v, ok := strings.CutPrefix(arch, "armv"); ok {
		arch, version = "arm", v
	}
	arch, newer := strings.CutSuffix(arch, "v3")
	m, ok := machineOf(strings.TrimSuffix(arch, "-4k"))
	if !ok {
		return fmt.Appendf(nil, "no ELF for %s\n", arch)
	}
	data := ELF(arch)
	m.order.PutUint16(data[16:], uint16(kind))
	if newer {
		data = m.withSegment(data, elf.PT_NOTE, propertyV3())
	}
	if interp != "" {
		data = m.withSegment(data, elf.PT_INTERP, append([]byte(interp), 0))
	}
	if version != "" {
		data = m.withAttributes(data, version)
	}
	return data
}

// Object returns an unlinked ELF object of arch.
func Object(arch string) []byte { return program(arch, "", elf.ET_REL) }

// ProgramWithLibrary returns an ELF program of a 64-bit arch that needs a library, with dirs as its DT_RUNPATH.
func ProgramWithLibrary(arch, library, dirs string) []byte {
	m, ok := machineOf(arch)
	if !ok || m.class != elf.ELFCLASS64 {
		return fmt.Appendf(nil, "no ELF for %s\n", arch)
	}
	const header, segment = 64, 56
	texts := append(append([]byte{0}, library...), 0)
	runpath := uint64(len(texts))
	texts = append(append(texts, dirs...), make([]byte, 8-(len(texts)+len(dirs))%8)...)
	table := []elf.Dyn64{
		{Tag: int64(elf.DT_NEEDED), Val: 1},
		{Tag: int64(elf.DT_RUNPATH), Val: runpath},
		{Tag: int64(elf.DT_STRTAB), Val: loadAddress + header + 2*segment},
		{Tag: int64(elf.DT_STRSZ), Val: uint64(len(texts))},
		{},
	}
	at, size := uint64(header+2*segment+len(texts)), uint64(len(table)*16)
	data := ELF(arch)[:header]
	m.order.PutUint16(data[56:], 2) // e_phnum
	var b bytes.Buffer
	b.Write(data)
	for _, part := range []any{
		elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Vaddr: loadAddress, Filesz: at + size,
			Memsz: at + size,
		},
		elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: at, Vaddr: loadAddress + at, Filesz: size, Memsz: size},
		texts, table,
	} {
		must(binary.Write(&b, m.order, part))
	}
	return b.Bytes()
}

// GoPlugin returns a library of a 64-bit arch with the build information of go build -buildmode=plugin.
func GoPlugin(arch, path string) []byte {
	const header, segment, address = 64, 56, 0x20000
	m, ok := machineOf(arch)
	if !ok || m.class != elf.ELFCLASS64 {
		return fmt.Appendf(nil, "no ELF for %s\n", arch)
	}
	mark := strings.Repeat("m", 16) // surrounds the settings
	settings := mark + "path\t" + path + "\nbuild\t-buildmode=plugin\nbuild\tGOARCH=" + arch +
		"\nbuild\tGOOS=linux\n" + mark
	info := append([]byte("\xff Go buildinf:\x08\x02"), make([]byte, 16)...)
	for _, text := range []string{"go1.26.0", settings} {
		info = append(binary.AppendUvarint(info, uint64(len(text))), text...)
	}
	data := program(arch, "", elf.ET_DYN)[:header]
	at := uint64(header + segment + 8) // divisible by 16
	var b bytes.Buffer
	b.Write(data)
	for _, part := range []any{
		elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: at, Vaddr: address,
			Filesz: uint64(len(info)), Memsz: uint64(len(info)),
		},
		make([]byte, 8), info,
	} {
		must(binary.Write(&b, m.order, part))
	}
	return b.Bytes()
}

// withSegment appends content and makes the program header describe it.
func (m machine) withSegment(data []byte, kind elf.ProgType, content []byte) []byte {
	off, size := uint64(len(data)), uint64(len(content))
	var segment any = elf.Prog32{Type: uint32(kind), Off: uint32(off), Filesz: uint32(size), Memsz: uint32(size), Align: 4}
	header := 52
	if m.class == elf.ELFCLASS64 {
		segment, header = elf.Prog64{Type: uint32(kind), Off: off, Filesz: size, Memsz: size, Align: 8}, 64
	}
	var b bytes.Buffer
	must(binary.Write(&b, m.order, segment))
	copy(data[header:], b.Bytes())
	return append(data, content...)
}

// propertyV3 returns a GNU property note that requires x86-64-v3. https://gitlab.com/x86-psABIs/linux-abi
func propertyV3() []byte {
	const property, isaNeeded, v1v2v3 = 5, 0xc0008002, 7
	var b bytes.Buffer
	for _, n := range []uint32{4, 16, property} { // the lengths of owner and content
		must(binary.Write(&b, binary.LittleEndian, n))
	}
	b.WriteString("GNU\x00")
	for _, n := range []uint32{isaNeeded, 4, v1v2v3, 0} {
		must(binary.Write(&b, binary.LittleEndian, n))
	}
	return b.Bytes()
}

// windowsProgram returns the headers of a PE program for amd64.
func windowsProgram() []byte {
	const at, coff, optional = 64, 20, 240
	data := make([]byte, at+4+coff+optional)
	copy(data, "MZ")
	binary.LittleEndian.PutUint32(data[60:], at)
	copy(data[at:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(data[at+4:], 0x8664)
	binary.LittleEndian.PutUint16(data[at+4+16:], optional)
	binary.LittleEndian.PutUint16(data[at+4+coff:], 0x20b) // PE32+
	binary.LittleEndian.PutUint16(data[at+4+coff+68:], 3)  // a console program
	return data
}

// bootProgram returns the headers of an EFI application for amd64 or arm64.
func bootProgram(arch string) []byte {
	data := windowsProgram()
	if arch == "arm64" {
		binary.LittleEndian.PutUint16(data[64+4:], 0xaa64)
	}
	binary.LittleEndian.PutUint16(data[64+4+20+68:], 10) // an EFI application
	return data
}

// dotNet returns .NET code: without native code and for 32 bits, or with ahead, compiled for Linux on amd64.
func dotNet(ahead bool) []byte {
	const at, coff, optional, text, size = 64, 20, 224, 0x200, 72
	data := make([]byte, 2*text)
	copy(data, "MZ")
	le := binary.LittleEndian
	le.PutUint32(data[60:], at)
	copy(data[at:], "PE\x00\x00")
	machine := uint16(0x14c)
	if ahead {
		machine = 0x8664 ^ 0x7b79
	}
	le.PutUint16(data[at+4:], machine)
	le.PutUint16(data[at+6:], 1) // sections
	le.PutUint16(data[at+4+16:], optional)
	header := data[at+4+coff:]
	le.PutUint16(header, 0x10b)
	le.PutUint16(header[68:], 3)
	le.PutUint32(header[92:], 16)
	le.PutUint32(header[96+14*8:], 0x2000) // the address of the .NET header in memory
	le.PutUint32(header[96+14*8+4:], size)
	section := header[optional:]
	copy(section, ".text")
	for i, n := range []uint32{text, 0x2000, text, text} {
		le.PutUint32(section[8+4*i:], n)
	}
	le.PutUint32(data[text:], size)
	le.PutUint32(data[text+16:], 3) // no native code, 32 bits only
	if ahead {
		le.PutUint32(data[text+16:], 1)
		le.PutUint32(data[text+64:], 0x2000) // native code
	}
	return data
}

// macLibrary returns the header of a Mach-O library for arm64.
func macLibrary() []byte {
	const magic, arm64, bundle, size = 0xfeedfacf, 0x0100000c, 8, 4096
	data := make([]byte, size)
	binary.LittleEndian.PutUint32(data, magic)
	binary.LittleEndian.PutUint32(data[4:], arm64)
	binary.LittleEndian.PutUint32(data[12:], bundle)
	return data
}

// withAttributes adds the section .ARM.attributes with Tag_CPU_arch.
func (m machine) withAttributes(data []byte, version string) []byte {
	const tagFile, tagCPUArch, armAttributes = 1, 6, 0x70000003
	cpu := map[string]byte{"5": 3, "6": 6, "7": 10, "8": 14}[version]
	subsection := append([]byte{tagFile}, m.uint32(7)...) // the tag, the length, and two bytes
	subsection = append(subsection, tagCPUArch, cpu)
	vendor := append([]byte("aeabi\x00"), subsection...)
	section := append(append([]byte{'A'}, m.uint32(uint32(len(vendor)+4))...), vendor...)
	offset := len(data)
	data = append(data, section...)
	table := len(data)
	var b bytes.Buffer
	must(binary.Write(&b, m.order, []elf.Section32{{}, {
		Type: armAttributes, Off: uint32(offset), Size: uint32(len(section)), Addralign: 1,
	}}))
	data = append(data, b.Bytes()...)
	m.order.PutUint32(data[32:], uint32(table)) // e_shoff
	m.order.PutUint16(data[46:], 40)            // e_shentsize
	m.order.PutUint16(data[48:], 2)             // e_shnum
	return data
}

func (m machine) uint32(n uint32) []byte {
	b := make([]byte, 4)
	m.order.PutUint32(b, n)
	return b
}
