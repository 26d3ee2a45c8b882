package binary

import (
	"debug/elf"
	enc "encoding/binary"
)

// elfHeader is what is needed of an ELF header, whichever its class. https://gabi.xinuos.com/elf/02-eheader.html
type elfHeader struct {
	bits      int
	order     enc.ByteOrder
	kind      elf.Type
	machine   elf.Machine
	flags     uint32
	osabi     elf.OSABI
	phoff     int64
	phentsize int
	phnum     int
	shoff     int64
	shentsize int
	shnum     int
}

func readELF(s *stream) (Fact, error) {
	f := Fact{Kind: ELFOther}
	h, err := readELFHeader(s)
	if err != nil {
		return f, err
	}
	f.Kind = elfKind(h.kind)
	f.Bits, f.Order = h.bits, Little
	if h.order == enc.ByteOrder(enc.BigEndian) {
		f.Order = Big
	}
	f.Machine, f.Flags, f.OSABI = uint32(h.machine), h.flags, uint8(h.osabi)
	f.Arch = elfArch(h.machine, h.bits, f.Order)
	f.Device = deviceArch(h.machine) != ""
	f.OS = elfOS(h)
	elfFlags(&f)
	if f.Kind == ELFCore || f.Device {
		return f, nil // the segments are memory, or not in a form that we know
	}
	e := elfFile{stream: s, header: h, fact: &f}
	return f, e.read()
}

func elfKind(t elf.Type) Kind {
	switch t {
	case elf.ET_EXEC:
		return ELFExecutable
	case elf.ET_DYN:
		return ELFShared
	case elf.ET_REL:
		return ELFObject
	case elf.ET_CORE:
		return ELFCore
	}
	return ELFOther
}

// elfOS is the system that EI_OSABI names. That Linux programs need not name theirs, and that ARM and graphics cards use the
// member for something else, leaves few numbers that say anything.
func elfOS(h elfHeader) string {
	switch h.osabi {
	case elf.ELFOSABI_LINUX:
		return "linux"
	case elf.ELFOSABI_FREEBSD:
		return "freebsd"
	case elf.ELFOSABI_NETBSD:
		return "netbsd"
	case elf.ELFOSABI_OPENBSD:
		return "openbsd"
	case elf.ELFOSABI_SOLARIS:
		return "solaris"
	}
	return ""
}

func readELFHeader(s *stream) (elfHeader, error) {
	var h elfHeader
	ident := s.peek(0, elf.EI_NIDENT)
	if len(ident) < elf.EI_NIDENT {
		return h, malformed("ELF", "the file ends after %d bytes", len(ident))
	}
	switch elf.Class(ident[elf.EI_CLASS]) {
	case elf.ELFCLASS32:
		h.bits = 32
	case elf.ELFCLASS64:
		h.bits = 64
	default:
		return h, malformed("ELF", "class %d is neither 32 nor 64 bits", ident[elf.EI_CLASS])
	}
	switch elf.Data(ident[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		h.order = enc.LittleEndian
	case elf.ELFDATA2MSB:
		h.order = enc.BigEndian
	default:
		return h, malformed("ELF", "byte order %d is neither little nor big", ident[elf.EI_DATA])
	}
	if ident[elf.EI_VERSION] != byte(elf.EV_CURRENT) {
		return h, malformed("ELF", "version %d is not 1", ident[elf.EI_VERSION])
	}
	h.osabi = elf.OSABI(ident[elf.EI_OSABI])
	return h, h.rest(s)
}

// rest reads the members behind e_ident, which stand at other offsets in each class.
func (h *elfHeader) rest(s *stream) error {
	size := 52
	if h.bits == 64 {
		size = 64
	}
	b := s.peek(0, size)
	if len(b) < size {
		return malformed("ELF", "the file ends after %d of %d bytes", len(b), size)
	}
	h.kind = elf.Type(h.order.Uint16(b[16:]))
	h.machine = elf.Machine(h.order.Uint16(b[18:]))
	tail := b[36:] // from e_flags
	if h.bits == 64 {
		h.phoff, h.shoff = int64(h.order.Uint64(b[32:])), int64(h.order.Uint64(b[40:]))
		tail = b[48:]
	} else {
		h.phoff, h.shoff = int64(h.order.Uint32(b[28:])), int64(h.order.Uint32(b[32:]))
	}
	h.flags = h.order.Uint32(tail)
	h.phentsize, h.phnum = int(h.order.Uint16(tail[6:])), int(h.order.Uint16(tail[8:]))
	h.shentsize, h.shnum = int(h.order.Uint16(tail[10:])), int(h.order.Uint16(tail[12:]))
	return h.sane()
}

// sane refuses what Linux refuses (fs/binfmt_elf.c), for files that it would execute.
func (h *elfHeader) sane() error {
	const mostSegments = 64 << 10 // in bytes
	if h.kind != elf.ET_EXEC && h.kind != elf.ET_DYN {
		return nil
	}
	switch want := h.segmentSize(); {
	case h.phnum == 0 && h.kind == elf.ET_EXEC:
		return malformed("ELF", "an executable without segments")
	case h.phnum > 0 && h.phentsize != want:
		return malformed("ELF", "segment headers of %d bytes instead of %d", h.phentsize, want)
	case h.phnum*want > mostSegments:
		return malformed("ELF", "%d segments", h.phnum)
	}
	return nil
}

func (h *elfHeader) segmentSize() int {
	if h.bits == 64 {
		return 56
	}
	return 32
}

// word is an address or offset, of the width of the class.
func (h *elfHeader) word(b []byte) int64 {
	if h.bits == 64 {
		return int64(h.order.Uint64(b))
	}
	return int64(h.order.Uint32(b))
}
