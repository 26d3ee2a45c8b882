package binary

import (
	"bytes"
	"cmp"
	"debug/elf"
	"slices"
)

// elfFile is an ELF file that is being read.
type elfFile struct {
	*stream
	header    elfHeader
	fact      *Fact
	parts     [maxParts]part
	n         int // parts
	build     goInfo
	buildEnd  int64 // where the search for Go's build information ends
	arm       armAttributes
	module    moduleInfo
	dyn       dynamics
	hasInterp bool // there is a PT_INTERP
}

// maxParts limits how many parts of a file are read. No linker makes so many segments.
const maxParts = 32

// part is a part of the file that states a fact.
type part struct {
	off, size int64
	read      func(e *elfFile, p part) error
	align     int64
}

// PT_RISCV_ATTRIBUTES, which debug/elf lacks, has the number of PT_MIPS_ABIFLAGS.
const ptRISCVAttributes = elf.PT_MIPS_ABIFLAGS

// read collects the parts in the segment table and reads them in file order. At the same time it watches all bytes
// for facts that can't be found otherwise: Go's build information, which only a section name locates, and ARM
// attributes, which come before the table that locates them.
func (e *elfFile) read() error {
	e.segments()
	e.watchARM()
	e.module.wanted = e.fact.Kind == ELFObject
	if e.whole {
		e.watch = e
	}
	parts := e.parts[:e.n]
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.off, b.off) })
	for _, p := range parts {
		if err := p.read(e, p); err != nil {
			return err
		}
	}
	if e.whole {
		e.pass(max(e.buildEnd, e.dyn.until))
	} else if e.build.found.BuildID != "" {
		e.cut = true
	}
	e.build.addTo(e.fact)
	e.dyn.addTo(e.fact)
	if e.fact.World == OldWorld && e.fact.Interp == "" && e.fact.Go != nil {
		e.fact.World = "" // early versions of Go's linker did not write the version
	}
	if e.arm.wanted {
		e.sections(func(p part) { _ = e.armSection(p) })
	}
	if e.whole && e.module.wanted {
		e.pass(maxOffset)
		e.fact.Module = e.module.found
	}
	return nil
}

// see passes bytes to all searches.
func (e *elfFile) see(off int64, b []byte) bool {
	more := e.build.see(off, b)
	more = e.dyn.see(off, b) || more
	more = e.module.see(b) || more
	return e.arm.see(off, b, e.header.order) || more
}

// segments records the parts. https://gabi.xinuos.com/elf/07-pheader.html
func (e *elfFile) segments() {
	h := e.header
	if h.phentsize != h.segmentSize() {
		return // an object
	}
	for i := range h.phnum {
		b := e.at(h.phoff+int64(i)*int64(h.phentsize), h.phentsize)
		if len(b) < h.phentsize {
			return
		}
		kind := elf.ProgType(h.order.Uint32(b))
		if h.bits == 64 {
			e.segment(kind, elf.ProgFlag(h.order.Uint32(b[4:])), b[8:], 8)
		} else {
			e.segment(kind, elf.ProgFlag(h.order.Uint32(b[24:])), b[4:], 4)
		}
	}
}

// segment records the contents of one segment. b has p_offset, p_vaddr, p_paddr and p_filesz, each width bytes wide.
func (e *elfFile) segment(kind elf.ProgType, flags elf.ProgFlag, b []byte, width int) {
	off, addr, size := e.header.word(b), e.header.word(b[width:]), e.header.word(b[3*width:])
	p := part{off: off, size: size}
	if kind == elf.PT_LOAD {
		e.dyn.addLoad(span{off, off + size, addr})
		e.page(e.align(b, width), addr-off)
	}
	switch {
	case kind == elf.PT_INTERP && !e.hasInterp:
		p.read, e.hasInterp = (*elfFile).interp, true // the kernel uses the first
	case kind == elf.PT_DYNAMIC:
		p.read, e.dyn.wanted = (*elfFile).dynamic, true
	case kind == elf.PT_NOTE, kind == elf.PT_GNU_PROPERTY:
		p.read, p.align = (*elfFile).notes, e.align(b, width)
	case kind == elf.PT_MIPS_ABIFLAGS && e.header.machine == elf.EM_MIPS:
		p.read = (*elfFile).mipsFlags
	case kind == ptRISCVAttributes && e.header.machine == elf.EM_RISCV:
		p.read = (*elfFile).riscvAttributes
	case kind == elf.PT_LOAD && flags&(elf.PF_W|elf.PF_X) == elf.PF_W && size > 0 && off >= 0:
		e.build.addRange(off, off+size, addr)
		e.buildEnd = max(e.buildEnd, off+size)
		return
	default:
		return
	}
	e.add(p)
}

// align returns p_align, which follows p_memsz and, in 32 bits, p_flags.
func (e *elfFile) align(b []byte, width int) int64 {
	if width == 4 {
		return e.header.word(b[6*width:])
	}
	return e.header.word(b[5*width:])
}

// page records with which page size a segment can be loaded: its file offset and its address must differ by a
// multiple of it.
func (e *elfFile) page(align, distance int64) {
	switch e.header.machine {
	case elf.EM_AARCH64, elf.EM_LOONGARCH, elf.EM_MIPS, elf.EM_PPC64:
	default:
		return
	}
	if distance != 0 {
		align = min(align, distance&-distance)
	}
	if align > 1 && (e.fact.Page == 0 || align < e.fact.Page) {
		e.fact.Page = align
	}
}

func (e *elfFile) add(p part) {
	if e.n == maxParts {
		e.cut = true
		return
	}
	e.parts[e.n] = p
	e.n++
}

// interp reads the path of the loader. Linux refuses a path that does not end in NUL or is longer than PATH_MAX.
func (e *elfFile) interp(p part) error {
	const pathMax = 4096
	if p.size == 0 {
		e.cut = true // files of separate debug information have the segment without its content
		return nil
	}
	if p.size < 2 || p.size > pathMax {
		return malformed("ELF", "an interpreter of %d bytes", p.size)
	}
	b := e.at(p.off, int(p.size))
	if int64(len(b)) < p.size {
		return nil // at has set cut
	}
	if b[len(b)-1] != 0 {
		return malformed("ELF", "the interpreter does not end in NUL")
	}
	e.fact.Interp = string(b[:bytes.IndexByte(b, 0)])
	loongInterp(e.fact)
	return nil
}
