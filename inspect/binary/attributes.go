package binary

import (
	"bytes"
	enc "encoding/binary"
)

// attributes walks a section of build attributes and calls each for those that apply to the whole file. The tag
// determines whether number or text is set. It stops at the first malformed element.
// https://github.com/ARM-software/abi-aa/blob/main/addenda32/addenda32.rst#build-attributes
func attributes(b []byte, order enc.ByteOrder, vendor string, each func(tag, number uint64, text []byte)) {
	if len(b) == 0 || b[0] != 'A' {
		return
	}
	for b = b[1:]; len(b) > 4; {
		size := order.Uint32(b)
		if size <= 4 || uint64(size) > uint64(len(b)) {
			return
		}
		section := b[4:size]
		b = b[size:]
		if name, rest, ok := bytes.Cut(section, []byte{0}); ok && string(name) == vendor {
			fileAttributes(rest, order, vendor, each)
		}
	}
}

// fileAttributes walks the subsections of one vendor's section.
func fileAttributes(b []byte, order enc.ByteOrder, vendor string, each func(tag, number uint64, text []byte)) {
	const wholeFile = 1
	for len(b) > 5 {
		size := order.Uint32(b[1:])
		if size <= 5 || uint64(size) > uint64(len(b)) {
			return
		}
		if b[0] == wholeFile {
			taggedValues(b[5:size], vendor, each)
		}
		b = b[size:]
	}
}

// taggedValues walks tags and values. The tag determines whether its value is a number or a text; tag 32 has both.
func taggedValues(b []byte, vendor string, each func(tag, number uint64, text []byte)) {
	const both = 32
	for len(b) > 0 {
		var tag, number uint64
		var text []byte
		ok := true
		if tag, b, ok = uleb(b); !ok {
			return
		}
		hasText := tag == 5 || tag == 4 && vendor == armVendor || tag > both && tag%2 == 1
		if !hasText {
			if number, b, ok = uleb(b); !ok {
				return
			}
		}
		if hasText || tag == both {
			if text, b, ok = bytes.Cut(b, []byte{0}); !ok {
				return
			}
		}
		each(tag, number, text)
	}
}

// riscvAttributes reads the instruction set from .riscv.attributes, which has a segment of its own.
// https://github.com/riscv-non-isa/riscv-elf-psabi-doc/blob/master/riscv-elf.adoc#attributes
func (e *elfFile) riscvAttributes(p part) error {
	const tagArch, longest = 5, 512
	b := e.at(p.off, int(min(max(p.size, 0), maxPeek)))
	attributes(b, e.header.order, "riscv", func(tag, _ uint64, text []byte) {
		if tag == tagArch && len(text) < longest {
			e.fact.ISA = string(text)
			e.fact.raiseBaseline(riscvProfile(e.fact.ISA), FromAttributes)
		}
	})
	return nil
}
