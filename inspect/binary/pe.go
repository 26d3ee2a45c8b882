package binary

import (
	"debug/pe"
	enc "encoding/binary"
)

// peFile is a PE file that is being read. https://learn.microsoft.com/windows/win32/debug/pe-format
type peFile struct {
	*stream
	fact     *Fact
	off      int64 // of the COFF header
	optional []byte
	sections int
	build    goInfo
	buildEnd int64 // where the search for Go's build information ends
}

// readPE follows the DOS header to the PE header. A DOS program without one is Other, not malformed.
func readPE(s *stream) (Fact, error) {
	const dos, coff = 64, 20
	head := s.peek(0, dos)
	if len(head) < dos {
		return Fact{Kind: Other}, nil
	}
	off := int64(enc.LittleEndian.Uint32(head[60:]))
	sig := s.peek(off, 4)
	if string(sig) != "PE\x00\x00" {
		return Fact{Kind: Other, Incomplete: sig == nil && !s.whole}, nil
	}
	f := Fact{Kind: PE, OS: "windows", Order: Little}
	b := s.peek(off+4, coff)
	if len(b) < coff {
		return f, malformed("PE", "the file ends after %d of %d bytes", len(b), coff)
	}
	f.Machine, f.Flags = uint32(enc.LittleEndian.Uint16(b)), uint32(enc.LittleEndian.Uint16(b[18:]))
	p := peFile{stream: s, fact: &f, off: off + 4, sections: int(enc.LittleEndian.Uint16(b[2:]))}
	p.machine()
	return f, p.read(int(enc.LittleEndian.Uint16(b[16:])))
}

// machine sets the machine. Code that .NET precompiled for another system than Windows has a combined number: the
// machine's xor the system's.
// https://github.com/dotnet/runtime/blob/main/docs/design/coreclr/botr/readytorun-format.md
func (p *peFile) machine() {
	number := uint16(p.fact.Machine)
	for _, system := range []struct {
		name string
		mask uint16
	}{
		{"windows", 0},
		{"linux", 0x7b79},
		{"darwin", 0x4644},
		{"freebsd", 0xadc4},
		{"netbsd", 0x1993},
		{"solaris", 0x1992},
	} {
		arch := peArch(number ^ system.mask)
		if arch == "" {
			continue
		}
		p.fact.OS, p.fact.Arch, p.fact.Bits = system.name, arch, peBits(arch)
		if arch == "arm" {
			p.fact.Baseline = "v7" // Windows supports no other
		}
		return
	}
}

func peBits(arch string) int {
	switch arch {
	case "amd64", "arm64", "ia64", "riscv64", "loong64", "ebc":
		return 64
	}
	return 32
}

// read reads the optional header, which every program and library has, and the section table.
func (p *peFile) read(size int) error {
	const magic32, magic64, least = 0x10b, 0x20b, 70
	const efiFirst, efiLast = pe.IMAGE_SUBSYSTEM_EFI_APPLICATION, pe.IMAGE_SUBSYSTEM_EFI_ROM
	p.optional = append([]byte(nil), p.peek(p.off+20, min(size, 240))...)
	if len(p.optional) < least {
		return malformed("PE", "an optional header of %d bytes", len(p.optional))
	}
	if magic := enc.LittleEndian.Uint16(p.optional); magic != magic32 && magic != magic64 {
		return malformed("PE", "magic %#x is neither PE32 nor PE32+", magic)
	}
	if subsystem := enc.LittleEndian.Uint16(p.optional[68:]); subsystem >= efiFirst && subsystem <= efiLast {
		p.fact.OS = "efi"
	}
	p.readSections(p.off+20+int64(size), p.directory(pe.IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR))
	if p.whole && !p.fact.Managed {
		p.watch = &p.build
		p.pass(p.buildEnd)
		p.build.addTo(p.fact)
	}
	return nil
}

// directory returns the memory address of a data directory; 0 if it is empty.
func (p *peFile) directory(n int) int64 {
	from := 96
	if enc.LittleEndian.Uint16(p.optional) == 0x20b {
		from = 112
	}
	if from += 8 * n; from+8 > len(p.optional) {
		return 0
	}
	return int64(enc.LittleEndian.Uint32(p.optional[from:]))
}

// readSections records where data is, and reads the .NET header, if there is one.
func (p *peFile) readSections(off, managed int64) {
	const size, most = 40, 96 // Windows loads no more sections
	var header int64
	for i := range min(p.sections, most) {
		b := p.at(off+int64(i)*size, size)
		if len(b) < size {
			return
		}
		addr, length := int64(enc.LittleEndian.Uint32(b[12:])), int64(enc.LittleEndian.Uint32(b[16:]))
		from, flags := int64(enc.LittleEndian.Uint32(b[20:])), enc.LittleEndian.Uint32(b[36:])
		if managed >= addr && managed < addr+length {
			header = from + managed - addr
		}
		if flags&pe.IMAGE_SCN_MEM_WRITE != 0 && length > 0 {
			p.build.addRange(from, from+length, addr)
			p.buildEnd = max(p.buildEnd, from+length)
		}
	}
	if managed != 0 && header != 0 {
		p.readManaged(header)
	}
}

// readManaged reads the .NET header (ECMA-335, II.25.3.3). An assembly without native code that is not tied to 32
// bits states i386, but runs anywhere.
func (p *peFile) readManaged(off int64) {
	const size, ilOnly, only32 = 72, 1, 2
	b := p.at(off, size)
	if len(b) < size {
		return
	}
	p.fact.Managed = true
	flags, native := enc.LittleEndian.Uint32(b[16:]), enc.LittleEndian.Uint32(b[64:])
	if native != 0 || flags&ilOnly == 0 {
		return
	}
	if p.fact.OS == "windows" {
		p.fact.OS = "" // nothing in it is specific to Windows
	}
	if p.fact.Arch == "386" && flags&only32 == 0 {
		p.fact.Arch, p.fact.Bits = "", 0
	}
}
