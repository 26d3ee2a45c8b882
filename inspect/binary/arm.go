package binary

import (
	"bytes"
	"debug/elf"
	enc "encoding/binary"
	"slices"
)

// shtARMAttributes is the type of .ARM.attributes; debug/elf knows the number as RISC-V's.
const shtARMAttributes = elf.SHT_RISCV_ATTRIBUTES

// armVendor is whose attributes count.
const armVendor = "aeabi"

// candidates bounds how many places are remembered that look like .ARM.attributes. The section stands behind what is
// loaded, so that the last ones are the likely ones.
const candidates = 8

// armAttributes finds .ARM.attributes in a file that passes. No segment leads to the section, and the table that does
// stands behind it. So what looks like it is read when it passes, and the table says later which of them it was.
type armAttributes struct {
	wanted bool
	pos    int64 // what lies before has been looked at
	seen   [candidates]armLevel
	n      int // all that were seen
}

// armLevel is what one such place says.
type armLevel struct {
	off      int64
	baseline string
	float    Float
	micro    bool // for a microcontroller, on which no system with processes runs
}

// see looks for the vendor's name, behind the letter A and a length.
func (a *armAttributes) see(off int64, b []byte, order enc.ByteOrder) bool {
	if !a.wanted {
		return false
	}
	const lead = 5
	vendor := []byte(armVendor + "\x00")
	from := int(max(0, a.pos-off))
	for from < len(b) {
		i := bytes.Index(b[from:], vendor)
		if i < 0 {
			break
		}
		if start := from + i - lead; start >= 0 && b[start] == 'A' {
			a.note(readARM(off+int64(start), b[start:], order))
		}
		from += i + 1
	}
	// A name that straddles the end, or whose attributes do, is found (again) in the next window.
	a.pos = max(a.pos, off+int64(len(b)-overlap/2))
	return true
}

// note remembers a place; what a later window shows of it is more.
func (a *armAttributes) note(l armLevel) {
	for i := range min(a.n, candidates) {
		if a.seen[i].off == l.off {
			a.seen[i] = l
			return
		}
	}
	a.seen[a.n%candidates] = l
	a.n++
}

// at is what the place at an offset said.
func (a *armAttributes) at(off int64) (armLevel, bool) {
	for _, l := range a.seen[:min(a.n, candidates)] {
		if l.off == off && off > 0 {
			return l, true
		}
	}
	return armLevel{}, false
}

// readARM reads the attributes at the beginning of b. One that is left out is 0, which is soft float for how arguments
// travel; but assemblers leave out what they know nothing of, so that it counts only where a compiler has written of
// the data's types.
func readARM(off int64, b []byte, order enc.ByteOrder) armLevel {
	const (
		tagCPUArch, tagCPUProfile, tagVFPArgs = 6, 7, 28
		// Of the types of data: sizes, alignment, and how numbers are taken.
		tagWideChar, tagDenormal, tagExceptions, tagNumbers, tagAligned, tagKept, tagEnum = 18, 20, 21, 23, 24, 25, 26

		vfpBase, vfpRegisters = 0, 1
	)
	l := armLevel{off: off}
	said, compiled := false, false
	attributes(b, order, armVendor, func(tag, number uint64, _ []byte) {
		switch tag {
		case tagCPUArch:
			l.baseline = armBaseline(number)
			l.micro = l.micro || slices.Contains([]uint64{11, 12, 13, 16, 17, 21}, number) // v6-M to v8.1-M
		case tagCPUProfile:
			l.micro = l.micro || number == 'M'
		case tagWideChar, tagDenormal, tagExceptions, tagNumbers, tagAligned, tagKept, tagEnum:
			compiled = true
		case tagVFPArgs:
			said = true
			switch number {
			case vfpBase:
				l.float = Soft
			case vfpRegisters:
				l.float = Hard
			}
		}
	})
	if compiled && !said {
		l.float = Soft
	}
	return l
}

// armBaseline is Tag_CPU_arch as a variant of linux/arm. v6T2 has instructions that the v6 of every board with Linux
// lacks, so v7 is the first that runs it. Microcontrollers (v6-M, v7E-M, v8-M) count by their number.
func armBaseline(cpu uint64) string {
	switch cpu {
	case 1, 2:
		return "v4"
	case 3, 4, 5:
		return "v5"
	case 6, 7, 9, 11, 12:
		return "v6"
	case 8, 10, 13:
		return "v7"
	case 14, 15, 16, 17, 18, 19, 20, 21:
		return "v8"
	case 22:
		return "v9"
	}
	return ""
}

// watchARM decides whether the attributes have to be looked for. A table of sections that lies in the first page, where
// Go's linker puts it, says so at once.
func (e *elfFile) watchARM() {
	h := e.header
	if h.machine != elf.EM_ARM || h.shoff <= 0 || h.shentsize != armSection {
		return
	}
	if h.shnum > 0 && h.shoff+int64(h.shnum*armSection) <= page {
		e.sections(e.add)
		return
	}
	e.arm.wanted = true
}

// armSection is the size of a section header in 32 bits.
const armSection = 40

// sections calls each with every section of ARM attributes. https://gabi.xinuos.com/elf/03-sheader.html
func (e *elfFile) sections(each func(p part)) {
	h := e.header
	n := int64(h.shnum)
	for i := int64(0); i < max(n, 1); i++ {
		b := e.at(h.shoff+i*armSection, armSection)
		if len(b) < armSection {
			return
		}
		if i == 0 && n == 0 {
			n = int64(h.order.Uint32(b[20:])) // too many for the header
		}
		if elf.SectionType(h.order.Uint32(b[4:])) == shtARMAttributes {
			each(part{off: int64(h.order.Uint32(b[16:])), size: int64(h.order.Uint32(b[20:])), read: (*elfFile).armSection})
		}
	}
}

// armSection takes the attributes that were seen at the place of the section, or reads them where it is still ahead.
func (e *elfFile) armSection(p part) error {
	e.show() // the end of what was seen may have been in the middle of the section
	l, ok := e.arm.at(p.off)
	if !ok {
		b := e.at(p.off, int(min(p.size, reach)))
		if l = readARM(p.off, b, e.header.order); len(b) == 0 {
			return nil
		}
	}
	e.fact.state(l.baseline, FromAttributes)
	e.fact.Device = e.fact.Device || l.micro
	if e.fact.Float == "" {
		e.fact.Float = l.float
	}
	return nil
}
