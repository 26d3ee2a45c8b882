package binary

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"math/bits"
	"strings"
)

// Types of GNU notes. https://gitlab.com/x86-psABIs/linux-abi
const (
	noteABITag   = 1
	noteBuildID  = 3
	noteProperty = 5
)

// noteGoBuildID is the type of Go's note.
const noteGoBuildID = 4

// notes reads a note segment: owner, type and content, each padded to the alignment.
func (e *elfFile) notes(p part) error {
	if p.size > maxPeek {
		p.size, e.cut = maxPeek, true
	}
	b := e.at(p.off, int(max(0, p.size)))
	align := 4
	if p.align == 8 {
		align = 8
	}
	for len(b) >= 12 {
		order := e.header.order
		owner, desc, kind := order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:])
		if owner > maxPeek || desc > maxPeek {
			break
		}
		from := padded(12+int(owner), align)
		to := from + int(desc)
		if to > len(b) {
			break
		}
		e.note(bytes.TrimRight(b[12:12+owner], "\x00"), kind, b[from:to])
		b = b[min(padded(to, align), len(b)):]
	}
	return nil
}

func padded(n, align int) int { return (n + align - 1) / align * align }

func (e *elfFile) note(owner []byte, kind uint32, desc []byte) {
	switch string(owner) {
	case "GNU":
		e.noteGNU(kind, desc)
	case "Go":
		if kind == noteGoBuildID {
			e.build.found.BuildID = string(desc)
		}
	case "FreeBSD", "NetBSD", "OpenBSD", "DragonFly", "Android":
		e.fact.OS = strings.ToLower(string(owner))
	}
}

func (e *elfFile) noteGNU(kind uint32, desc []byte) {
	switch {
	case kind == noteBuildID:
		e.fact.BuildID = hex.EncodeToString(desc)
	case kind == noteABITag && len(desc) >= 4:
		e.abiTag(e.header.order.Uint32(desc))
	case kind == noteProperty && e.header.machine == elf.EM_X86_64:
		e.property(desc)
	}
}

// abiTag sets the system of the C library that the program is linked with.
func (e *elfFile) abiTag(system uint32) {
	switch system {
	case 0:
		e.fact.OS = "linux"
	case 1:
		e.fact.OS = "hurd"
	case 2:
		e.fact.OS = "solaris"
	case 3:
		e.fact.OS = "freebsd"
	case 4:
		e.fact.OS = "netbsd"
	}
}

// property reads the x86 instruction sets that the program needs. Those that it uses only if available do not count.
// Linkers write the property only on request (-Wl,-z,x86-64-v3).
func (e *elfFile) property(b []byte) {
	const isaNeeded = 0xc0008002
	align := e.header.bits / 8
	for len(b) >= 8 {
		kind, size := e.header.order.Uint32(b), e.header.order.Uint32(b[4:])
		if size > uint32(len(b)-8) {
			return
		}
		if kind == isaNeeded && size >= 4 {
			// One bit a level, from v1 on.
			if level := bits.Len32(e.header.order.Uint32(b[8:]) & 0xf); level > 0 {
				e.fact.raiseBaseline("v"+string(rune('0'+level)), FromProperty)
			}
		}
		b = b[min(padded(8+int(size), align), len(b)):]
	}
}
