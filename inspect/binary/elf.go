package binary

import (
	"debug/elf"
	enc "encoding/binary"
)

// elfHeader has the members of an ELF header of either class that are used here.
// https://gabi.xinuos.com/elf/02-eheader.html
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
	h, problem := readELFHeader(s)
	if problem != nil && !h.executed() {
		return f, problem
	}
	f.Kind = elfKind(h.kind)
	f.Bits, f.Order = h.bits, h.byteOrder()
	f.Machine, f.Flags, f.OSABI = uint32(h.machine), h.flags, uint8(h.osabi)
	f.Arch = elfArch(h.machine, h.bits, f.Order)
	f.Device = deviceArch(h.machine) != ""
	f.OS = elfOS(h)
	elfFlags(&f)
	if f.Kind == ELFCore || f.Device {
		return f, problem // the segments are memory, or in an unknown form
	}
	e := elfFile{stream: s, header: h, fact: &f}
	if err := e.read(); problem == nil {
		problem = err
	}
	return f, problem
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

// elfOS returns the system that EI_OSABI names. Few values mean a system: Linux programs need not name theirs, and
// ARM and graphics cards use the member for something else.
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

// headSize is the maximum size of the header. Linux reads zeros if the file is shorter.
const headSize = 64

// readELFHeader reads the header as Linux does, which takes the width of numbers from the machine and ignores e_ident
// (fs/binfmt_elf.c). If Linux executes the file in spite of a contradicting e_ident, the header is returned with the
// error.
func readELFHeader(s *stream) (elfHeader, error) {
	var b [headSize]byte
	n := copy(b[:], s.peek(0, headSize))
	if n < elf.EI_NIDENT {
		return elfHeader{}, malformed("ELF", "the file ends after %d bytes", n)
	}
	stated, problem := statedHeader(b[:])
	if problem == nil && n < stated.size() {
		problem = malformed("ELF", "the file ends after %d of %d bytes", n, stated.size())
	}
	for _, bits := range []int{64, 32} {
		for _, order := range []enc.ByteOrder{enc.LittleEndian, enc.BigEndian} {
			h := elfHeader{bits: bits, order: order}
			h.read(b[:])
			same := bits == stated.bits && order == stated.order
			if !h.executed() || !same && h.checksClass() {
				continue
			}
			if !same && problem == nil {
				problem = malformed("ELF", "it says %d bits, %s, and is executed as %d bits, %s",
					stated.bits, stated.byteOrder(), bits, h.byteOrder())
			}
			return h, problem
		}
	}
	if problem != nil {
		return elfHeader{}, problem
	}
	return stated, stated.check()
}

// statedHeader returns the header as e_ident describes it, and what is wrong with it.
func statedHeader(b []byte) (h elfHeader, err error) {
	switch class := elf.Class(b[elf.EI_CLASS]); class {
	case elf.ELFCLASS32:
		h.bits = 32
	case elf.ELFCLASS64:
		h.bits = 64
	default:
		return h, malformed("ELF", "class %d is neither 32 nor 64 bits", class)
	}
	switch data := elf.Data(b[elf.EI_DATA]); data {
	case elf.ELFDATA2LSB:
		h.order = enc.LittleEndian
	case elf.ELFDATA2MSB:
		h.order = enc.BigEndian
	default:
		return h, malformed("ELF", "byte order %d is neither little nor big", data)
	}
	h.read(b)
	if version := b[elf.EI_VERSION]; version != byte(elf.EV_CURRENT) {
		return h, malformed("ELF", "version %d is not 1", version)
	}
	return h, nil
}

// size returns the size of the header in bytes.
func (h *elfHeader) size() int {
	if h.bits == 64 {
		return headSize
	}
	return 52
}

func (h *elfHeader) byteOrder() Order {
	if h.order == enc.ByteOrder(enc.BigEndian) {
		return Big
	}
	return Little
}

// executed reports whether a kernel for the machine executes the file.
func (h *elfHeader) executed() bool {
	return h.order != nil && (h.kind == elf.ET_EXEC || h.kind == elf.ET_DYN) && h.phnum > 0 && h.check() == nil &&
		elfArch(h.machine, h.bits, h.byteOrder()) != ""
}

// checksClass reports whether Linux checks EI_CLASS on the machine, since it exists in two widths (elf_check_arch).
func (h *elfHeader) checksClass() bool {
	return h.machine == elf.EM_MIPS || h.machine == elf.EM_RISCV || h.machine == elf.EM_S390
}

// read reads the members after e_ident, whose offsets depend on the class.
func (h *elfHeader) read(b []byte) {
	h.osabi = elf.OSABI(b[elf.EI_OSABI])
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
}

// check refuses what Linux refuses to execute (fs/binfmt_elf.c).
func (h *elfHeader) check() error {
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

// word reads an address or offset, whose width depends on the class.
func (h *elfHeader) word(b []byte) int64 {
	if h.bits == 64 {
		return int64(h.order.Uint64(b))
	}
	return int64(h.order.Uint32(b))
}
