package binary_test

import (
	"bytes"
	"debug/elf"
	enc "encoding/binary"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

// elfSpec is an ELF file to build; the zero value of a member is the ordinary case.
type elfSpec struct {
	class    elf.Class // 64
	data     elf.Data  // little
	osabi    elf.OSABI
	kind     elf.Type // ET_EXEC
	machine  elf.Machine
	flags    uint32
	segments []segment
	sections []section
	first    bool  // the section table comes before the segments' content
	gap      int   // zeros before the segments
	far      int64 // e_shoff; 0: the offset of the table
}

type segment struct {
	kind  elf.ProgType
	flags elf.ProgFlag
	align uint64
	off   int64 // 0: the offset of the body
	size  int64 // 0: the length of the body
	body  []byte
}

type section struct {
	kind elf.SectionType
	body []byte
	off  int64 // 0: the offset of the body
}

func (s elfSpec) order() enc.ByteOrder {
	if s.data == elf.ELFDATA2MSB {
		return enc.BigEndian
	}
	return enc.LittleEndian
}

func (s elfSpec) narrow() bool { return s.class == elf.ELFCLASS32 }

// put encodes a struct of debug/elf.
func (s elfSpec) put(v any) []byte {
	var b bytes.Buffer
	if err := enc.Write(&b, s.order(), v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// bytes lays the file out: header, segment table, (section table,) segments, sections, (section table).
func (s elfSpec) bytes() []byte {
	head, ph, sh := int64(64), int64(56), int64(64)
	if s.narrow() {
		head, ph, sh = 52, 32, 40
	}
	at := head + ph*int64(len(s.segments))
	shoff, table := int64(0), sh*int64(len(s.sections))
	if s.first {
		shoff = at
		at += table
	}
	at += int64(s.gap)
	var body, programs, sections []byte
	body = append(body, make([]byte, s.gap)...)
	add := func(b []byte) int64 {
		for at%16 != 0 {
			body = append(body, 0)
			at++
		}
		off := at
		body = append(body, b...)
		at += int64(len(b))
		return off
	}
	for _, p := range s.segments {
		off := add(p.body)
		programs = append(programs, s.program(p, or(p.off, off), or(p.size, int64(len(p.body))))...)
	}
	for _, x := range s.sections {
		off := add(x.body)
		sections = append(sections, s.section(x, or(x.off, off))...)
	}
	if !s.first && table > 0 {
		shoff = at
		body = append(body, sections...)
	}
	file := append(s.header(head, or(s.far, shoff)), programs...)
	if s.first {
		file = append(file, sections...)
	}
	return append(file, body...)
}

func or(a, b int64) int64 {
	if a != 0 {
		return a
	}
	return b
}

func (s elfSpec) header(phoff, shoff int64) []byte {
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1, byte(s.osabi)}
	if s.class != 0 {
		ident[elf.EI_CLASS] = byte(s.class)
	}
	if s.data != 0 {
		ident[elf.EI_DATA] = byte(s.data)
	}
	kind := s.kind
	if kind == 0 {
		kind = elf.ET_EXEC
	}
	if s.narrow() {
		return s.put(elf.Header32{
			Ident: ident, Type: uint16(kind), Machine: uint16(s.machine), Version: 1, Flags: s.flags, Ehsize: 52,
			Phoff: uint32(phoff), Phentsize: 32, Phnum: uint16(len(s.segments)),
			Shoff: uint32(shoff), Shentsize: 40, Shnum: uint16(len(s.sections)),
		})
	}
	return s.put(elf.Header64{
		Ident: ident, Type: uint16(kind), Machine: uint16(s.machine), Version: 1, Flags: s.flags, Ehsize: 64,
		Phoff: uint64(phoff), Phentsize: 56, Phnum: uint16(len(s.segments)),
		Shoff: uint64(shoff), Shentsize: 64, Shnum: uint16(len(s.sections)),
	})
}

func (s elfSpec) program(p segment, off, size int64) []byte {
	if s.narrow() {
		return s.put(elf.Prog32{
			Type: uint32(p.kind), Flags: uint32(p.flags), Off: uint32(off), Vaddr: uint32(0x10000 + off), Filesz: uint32(size),
			Memsz: uint32(size), Align: uint32(p.align),
		})
	}
	return s.put(elf.Prog64{
		Type: uint32(p.kind), Flags: uint32(p.flags), Off: uint64(off), Vaddr: uint64(0x400000 + off), Filesz: uint64(size),
		Memsz: uint64(size), Align: p.align,
	})
}

func (s elfSpec) section(x section, off int64) []byte {
	if s.narrow() {
		return s.put(elf.Section32{Type: uint32(x.kind), Off: uint32(off), Size: uint32(len(x.body))})
	}
	return s.put(elf.Section64{Type: uint32(x.kind), Off: uint64(off), Size: uint64(len(x.body))})
}

// text returns a segment of code, which every program has.
func text() segment {
	return segment{kind: elf.PT_LOAD, flags: elf.PF_R | elf.PF_X, body: make([]byte, 64)}
}

func rodata(b []byte) segment { return segment{kind: elf.PT_LOAD, flags: elf.PF_R, body: b} }

func data(b []byte) segment { return segment{kind: elf.PT_LOAD, flags: elf.PF_R | elf.PF_W, body: b} }

func interp(path string) segment {
	return segment{kind: elf.PT_INTERP, flags: elf.PF_R, body: []byte(path + "\x00")}
}

// note returns a segment with one note, in little-endian order.
func note(owner string, kind uint32, desc []byte, align int) segment {
	b := enc.LittleEndian.AppendUint32(nil, uint32(len(owner)+1))
	b = enc.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = enc.LittleEndian.AppendUint32(b, kind)
	b = pad(append(append(b, owner...), 0), align)
	b = pad(append(b, desc...), align)
	return segment{kind: elf.PT_NOTE, flags: elf.PF_R, align: uint64(align), body: b}
}

func pad(b []byte, align int) []byte {
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
}

// property returns a GNU property note, for x86-64 the levels that a program needs.
func property(kind, bits uint32) segment {
	b := enc.LittleEndian.AppendUint32(nil, kind)
	b = enc.LittleEndian.AppendUint32(b, 4)
	b = enc.LittleEndian.AppendUint32(b, bits)
	return note("GNU", 5, pad(b, 8), 8)
}

// buildInfo returns build information as Go's linker writes it. https://pkg.go.dev/debug/buildinfo
func buildInfo(version string, settings ...string) []byte {
	b := append([]byte("\xff Go buildinf:"), 8, 2)
	b = append(b, make([]byte, 16)...)
	b = enc.AppendUvarint(b, uint64(len(version)))
	b = append(b, version...)
	mod := "0123456789abcdef" + "path\tx\n" + "build\t-ldflags=" + strings.Repeat("x", 500) + "\n"
	for _, s := range settings {
		mod += "build\t" + s + "\n"
	}
	mod += "fedcba9876543210"
	b = enc.AppendUvarint(b, uint64(len(mod)))
	return append(b, mod...)
}

// armAttributes returns a section as GCC writes it with GNU as: Tag_CPU_name, Tag_CPU_arch, attributes of types, and
// Tag_ABI_VFP_args if it is not 0.
func armAttributes(order enc.ByteOrder, cpu, vfp byte) []byte {
	tags := append([]byte{5}, "7-A\x00"...)
	tags = append(tags, 6, cpu, 7, 'A', 8, 1, 9, 2, 18, 4, 20, 1, 21, 1, 23, 3, 24, 1, 26, 2)
	if vfp != 0 {
		tags = append(tags, 28, vfp)
	}
	return vendorAttributes(order, "aeabi", tags)
}

func vendorAttributes(order enc.ByteOrder, vendor string, tags []byte) []byte {
	u32 := func(n int) []byte { b := make([]byte, 4); order.PutUint32(b, uint32(n)); return b }
	file := append(append([]byte{1}, u32(5+len(tags))...), tags...)
	b := append([]byte{'A'}, u32(4+len(vendor)+1+len(file))...)
	return append(append(append(b, vendor...), 0), file...)
}

// read reads a whole file from memory, which must be valid.
func read(t *testing.T, file []byte) binary.Fact {
	t.Helper()
	f, err := binary.Read(bytes.NewReader(file), binary.Options{Whole: true})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return f
}
