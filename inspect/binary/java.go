package binary

import (
	"bytes"
	enc "encoding/binary"
)

// readCafebabe distinguishes two formats with the same magic number: in a fat Mach-O the number of machines follows,
// in a Java class its version, which is 45 or more. No Mach-O has that many machines.
func readCafebabe(s *stream) (Fact, error) {
	const firstJava = 45
	b := s.peek(0, 8)
	switch {
	case len(b) < 8:
		return Fact{Kind: Other}, nil
	case enc.BigEndian.Uint32(b[4:]) < firstJava:
		return readFat(s)
	}
	f := Fact{Kind: JavaClass}
	if enc.BigEndian.Uint16(b[6:]) < firstJava {
		return f, malformed("Java class", "unknown version %d", enc.BigEndian.Uint16(b[6:]))
	}
	return f, nil
}

// readZip recognises a Java archive by the names of its first members. Most tools, but not all, write the manifest
// first. The directory at the end is not read.
func readZip(s *stream) Fact {
	const header, members, streamed = 30, 16, 1 << 3
	off := int64(0)
	for range members {
		b := s.peek(off, header)
		if len(b) < header || !bytes.Equal(b[:4], []byte("PK\x03\x04")) {
			break
		}
		flags, size := enc.LittleEndian.Uint16(b[6:]), int64(enc.LittleEndian.Uint32(b[18:]))
		name, extra := int(enc.LittleEndian.Uint16(b[26:])), int64(enc.LittleEndian.Uint16(b[28:]))
		if javaMember(s.peek(off+header, min(name, maxPeek))) {
			return Fact{Kind: JavaArchive}
		}
		if off += header + int64(name) + extra + size; flags&streamed != 0 || off > window {
			break // the size follows the data
		}
	}
	return Fact{Kind: Other}
}

func javaMember(name []byte) bool {
	return bytes.Equal(name, []byte("META-INF/")) || bytes.HasPrefix(name, []byte("META-INF/MANIFEST.MF")) ||
		bytes.HasSuffix(name, []byte(".class"))
}
