package binary

import (
	"debug/macho"
	enc "encoding/binary"
)

// isMachO reports whether a file begins like a Mach-O for one machine, or a 64-bit fat one. The 32-bit fat one shares
// its magic number with Java.
// https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h
func isMachO(b []byte) bool {
	big, little := enc.BigEndian.Uint32(b), enc.LittleEndian.Uint32(b)
	for _, magic := range []uint32{macho.Magic32, macho.Magic64} {
		if big == magic || little == magic {
			return true
		}
	}
	return big == macho.MagicFat+1
}

// readMachO reads the header: magic, cputype, cpusubtype, filetype, and the size of the load commands.
func readMachO(s *stream) (Fact, error) {
	f := Fact{Kind: MachO, OS: "darwin"}
	const size32, size64 = 28, 32
	b := s.peek(0, size64)
	if enc.BigEndian.Uint32(b) == macho.MagicFat+1 {
		return readFat(s)
	}
	if len(b) < size32 {
		return f, malformed("Mach-O", "the file ends after %d of %d bytes", len(b), size32)
	}
	var order enc.ByteOrder = enc.LittleEndian
	f.Order, f.Bits = Little, 32
	if b[0] == 0xfe {
		order, f.Order = enc.BigEndian, Big
	}
	if order.Uint32(b) == macho.Magic64 {
		f.Bits = 64
	}
	cpu := macho.Cpu(order.Uint32(b[4:]))
	f.Arch, f.Machine, f.Flags = machArch(cpu), uint32(cpu), order.Uint32(b[8:])
	const lastType = 12 // MH_FILESET
	if kind := order.Uint32(b[12:]); kind == 0 || kind > lastType {
		return f, malformed("Mach-O", "unknown file type %d", kind)
	}
	return f, nil
}

// readFat reads the table of a fat file: for each machine cputype, cpusubtype, offset, size and alignment,
// big-endian. In a 64-bit file offset and size are twice as wide.
func readFat(s *stream) (Fact, error) {
	f := Fact{Kind: MachO, OS: "darwin", Order: Big}
	b := s.peek(0, 8)
	if len(b) < 8 {
		return f, malformed("Mach-O", "the file ends after %d of 8 bytes", len(b))
	}
	row, most, n := 20, 44, int(enc.BigEndian.Uint32(b[4:]))
	if b[3] == 0xbf {
		row = 32
	}
	if n == 0 || n > most {
		return f, malformed("Mach-O", "%d machines", n)
	}
	table := s.peek(8, n*row)
	if len(table) < n*row {
		return f, malformed("Mach-O", "the file ends in the table of its %d machines", n)
	}
	for ; len(table) > 0; table = table[row:] {
		arch := machArch(macho.Cpu(enc.BigEndian.Uint32(table)))
		f.Archs = append(f.Archs, either(arch != "", arch, "unknown"))
	}
	return f, nil
}
