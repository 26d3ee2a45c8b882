package emulator

import "encoding/binary"

// TellerPath is the link that a teller reads: the file that the kernel started for it. QEMU answers for /proc/self/exe
// itself, with the program's own path, and leaves this one to the kernel.
const TellerPath = "/proc/thread-self/exe"

// Teller returns a static ELF executable of arch, by Go's name, that prints the path of the file which the kernel runs:
// its own when it runs natively, else the emulator's. It returns nil for an architecture without one.
func Teller(arch string) []byte {
	c, ok := tellers()[arch]
	e, known := emulators()[arch]
	if !ok || !known {
		return nil
	}
	order := e.order()
	text := c.bytes
	for _, w := range c.words {
		text = order.AppendUint32(text, w)
	}
	for len(text)%4 != 0 {
		text = append(text, 0)
	}
	c.path(order, text, e.entry())
	return e.executable(c.flags, append(append(text, TellerPath...), 0))
}

// teller is readlink(TellerPath, stack, 255), write(1, stack, n), exit(0), by the architecture's system calls.
type teller struct {
	code
	// path completes the instructions with the address of TellerPath, which follows them.
	path func(order binary.ByteOrder, text []byte, entry uint32)
}

func tellers() map[string]teller {
	// Instructions that take an address, or a distance from themselves or from near.
	absolute := func(at int) func(binary.ByteOrder, []byte, uint32) {
		return func(o binary.ByteOrder, text []byte, entry uint32) { o.PutUint32(text[at:], entry+uint32(len(text))) }
	}
	added := func(at, from, shift int) func(binary.ByteOrder, []byte, uint32) {
		return func(o binary.ByteOrder, text []byte, _ uint32) {
			o.PutUint32(text[at:], o.Uint32(text[at:])|uint32(len(text)-from)<<shift)
		}
	}
	power := teller{
		code: code{flags: 2, words: []uint32{
			// r3 = readlink(r3, r4 = stack, 255)
			0x3821ff00, 0x3c600000, 0x60630000, 0x7c240b78, 0x38a000ff, 0x38000055, 0x44000002,
			0x7c651b78, 0x7c240b78, 0x38600001, 0x38000004, 0x44000002, 0x38000001, 0x38600000, 0x44000002,
		}},
		path: func(o binary.ByteOrder, text []byte, entry uint32) {
			address := entry + uint32(len(text))
			o.PutUint32(text[4:], o.Uint32(text[4:])|address>>16)
			o.PutUint32(text[8:], o.Uint32(text[8:])|address&0xffff)
		},
	}
	return map[string]teller{
		"386": {code: code{bytes: []byte{
			0x81, 0xec, 0, 1, 0, 0, // sub esp, 256
			0xb8, 85, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0x89, 0xe1, 0xba, 255, 0, 0, 0, 0xcd, 0x80,
			0x89, 0xc2, 0xb8, 4, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xcd, 0x80, 0xb8, 1, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0xcd, 0x80,
		}}, path: absolute(12)},
		"amd64": {code: code{bytes: []byte{
			0x48, 0x81, 0xec, 0, 1, 0, 0, // sub rsp, 256
			0xb8, 89, 0, 0, 0, 0xbf, 0, 0, 0, 0, 0x48, 0x89, 0xe6, 0xba, 255, 0, 0, 0, 0x0f, 0x05,
			0x89, 0xc2, 0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x0f, 0x05, 0xb8, 60, 0, 0, 0, 0xbf, 0, 0, 0, 0, 0x0f, 0x05,
		}}, path: absolute(13)},
		"arm": {code: code{flags: 0x05000000, words: []uint32{
			// add r0, pc, …: pc is two instructions ahead
			0xe24ddc01, 0xe28f0000, 0xe1a0100d, 0xe3a020ff, 0xe3a07055, 0xef000000,
			0xe1a02000, 0xe3a00001, 0xe3a07004, 0xef000000, 0xe3a07001, 0xe3a00000, 0xef000000,
		}}, path: added(4, 4+8, 0)},
		"arm64": {code: code{words: []uint32{
			0xd10403ff, 0x10000001, 0x910003e2, 0xd2801fe3, 0xd28009c8, 0xd4000001, // readlinkat: there is no readlink
			0xaa0003e2, 0x910003e1, 0xd2800020, 0xd2800808, 0xd4000001, 0xd2800ba8, 0xd2800000, 0xd4000001,
		}}, path: added(4, 4, 5-2)},
		"ppc64":   power,
		"ppc64le": power,
		"riscv64": {code: code{words: []uint32{
			0xf0010113, 0x00000597, 0x00058593, 0x00010613, 0x0ff00693, 0x04e00893, 0x00000073,
			0x00050613, 0x00010593, 0x00100513, 0x04000893, 0x00000073, 0x00000893 | 93<<20, 0x00000513, 0x00000073,
		}}, path: added(8, 4, 20)},
		"s390x": {code: code{bytes: []byte{
			0xa7, 0xfb, 0xff, 0, 0xc0, 0x20, 0, 0, 0, 0, 0xb9, 0x04, 0, 0x3f, 0xa7, 0x49, 0, 255, 0x0a, 85, // larl %r2, …
			0xb9, 0x04, 0, 0x42, 0xb9, 0x04, 0, 0x3f, 0xa7, 0x29, 0, 1, 0x0a, 4, 0xa7, 0x29, 0, 0, 0x0a, 1,
		}}, path: func(o binary.ByteOrder, text []byte, _ uint32) { o.PutUint32(text[6:], uint32(len(text)-4)/2) }},
	}
}
