package binary

import (
	"bytes"
	"debug/elf"
	enc "encoding/binary"
	"slices"
)

// shtARMAttributes is the section type of .ARM.attributes. debug/elf has the number under RISC-V's name.
const shtARMAttributes = elf.SHT_RISCV_ATTRIBUTES

// armVendor is the vendor whose attributes count.
const armVendor = "aeabi"

// maxCandidates limits how many places that look like .ARM.attributes are remembered. The section comes after the
// loaded segments, so the last ones are the likely ones.
const maxCandidates = 8

// armAttributes finds .ARM.attributes in a stream. No segment points to the section, and the section table comes
// after it. So everything that looks like the section is read as it passes, and the table tells later which of them
// it was.
type armAttributes struct {
	wanted  bool
	scanned int64 // bytes before this offset were scanned
	seen    [maxCandidates]armLevel
	n       int // the number of all candidates
}

// armLevel is what one candidate states.
type armLevel struct {
	off      int64
	baseline string
	float    Float
	micro    bool // for a microcontroller, which runs no operating system with processes
}

// see looks for the vendor's name, preceded by the letter A and a length.
func (a *armAttributes) see(off int64, b []byte, order enc.ByteOrder) bool {
	if !a.wanted {
		return false
	}
	const lead = 5
	vendor := []byte(armVendor + "\x00")
	from := int(max(0, a.scanned-off))
	for from < len(b) {
		i := bytes.Index(b[from:], vendor)
		if i < 0 {
			break
		}
		if start := from + i - lead; start >= 0 && b[start] == 'A' {
			a.remember(readARM(off+int64(start), b[start:], order))
		}
		from += i + 1
	}
	// A name that crosses the end, or whose attributes do, is found (again) in the next window.
	a.scanned = max(a.scanned, off+int64(len(b)-overlap/2))
	return true
}

// remember stores a candidate. A later window may show more of it, and replaces it.
func (a *armAttributes) remember(l armLevel) {
	for i := range min(a.n, maxCandidates) {
		if a.seen[i].off == l.off {
			a.seen[i] = l
			return
		}
	}
	a.seen[a.n%maxCandidates] = l
	a.n++
}

// at returns what the candidate at an offset stated.
func (a *armAttributes) at(off int64) (armLevel, bool) {
	for _, l := range a.seen[:min(a.n, maxCandidates)] {
		if l.off == off && off > 0 {
			return l, true
		}
	}
	return armLevel{}, false
}

// readARM reads the attributes at the beginning of b. An omitted attribute means 0, which for the passing of
// arguments is soft float. But assemblers omit what they don't know, so that counts only if a compiler has also
// stated the data types.
func readARM(off int64, b []byte, order enc.ByteOrder) armLevel {
	const (
		tagCPUArch, tagCPUProfile, tagVFPArgs = 6, 7, 28
		// About data types: sizes, alignment, and the treatment of numbers.
		tagWideChar, tagDenormal, tagExceptions, tagNumbers, tagAligned, tagKept, tagEnum = 18, 20, 21, 23, 24, 25, 26

		vfpBase, vfpRegisters = 0, 1
	)
	l := armLevel{off: off}
	stated, compiled := false, false
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
			stated = true
			switch number {
			case vfpBase:
				l.float = Soft
			case vfpRegisters:
				l.float = Hard
			}
		}
	})
	if compiled && !stated {
		l.float = Soft
	}
	return l
}

// armBaseline returns Tag_CPU_arch as a variant of linux/arm. v6T2 has instructions that the v6 of Linux boards
// lacks, so v7 is the first variant that runs it. Microcontrollers (v6-M, v7E-M, v8-M) count by their number.
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

// watchARM decides whether to search for the attributes. If the section table is in the first page, where Go's linker
// puts it, it is read at once.
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

// sections calls each for every section of ARM attributes. https://gabi.xinuos.com/elf/03-sheader.html
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

// armSection uses the attributes that were seen at the section's offset, or reads them if it is still ahead.
func (e *elfFile) armSection(p part) error {
	e.show() // the last window may have ended within the section
	l, ok := e.arm.at(p.off)
	if !ok {
		b := e.at(p.off, int(min(p.size, maxPeek)))
		if l = readARM(p.off, b, e.header.order); len(b) == 0 {
			return nil
		}
	}
	e.fact.raiseBaseline(l.baseline, FromAttributes)
	e.fact.Device = e.fact.Device || l.micro
	if e.fact.Float == "" {
		e.fact.Float = l.float
	}
	return nil
}
