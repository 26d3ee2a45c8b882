// Command hello writes the programs of this example, such as hello-amd64, to a directory. They are static programs of a
// few machine instructions, which print "hello from ARCH".
//
//	go run ./testdata/hello testdata/hello
//
// They are small enough to be kept in the repository, so that the example needs no compiler and no base image.
package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

const address = 0x10000 // where the file is loaded

type program struct {
	arch    string // as in TARGETARCH
	machine elf.Machine
	flags   uint32
	code    []byte // of write(1, text, length) and exit(0); the text follows
}

// programs returns the instructions, which know where the text begins and how long it is.
func programs() []program {
	words := func(list ...uint32) (code []byte) {
		for _, w := range list {
			code = binary.LittleEndian.AppendUint32(code, w)
		}
		return code
	}
	return []program{
		{"amd64", elf.EM_X86_64, 0, []byte{
			0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
			0xbf, 1, 0, 0, 0, // mov edi, 1
			0x48, 0x8d, 0x35, 16, 0, 0, 0, // lea rsi, [rip+16]
			0xba, 17, 0, 0, 0, // mov edx, 17
			0x0f, 0x05, // syscall
			0xb8, 60, 0, 0, 0, // mov eax, 60 (exit)
			0x31, 0xff, // xor edi, edi
			0x0f, 0x05, // syscall
		}},
		{"arm64", elf.EM_AARCH64, 0, words(
			0xd2800020, // mov x0, 1
			0x100000e1, // adr x1, 28 bytes on
			0xd2800222, // mov x2, 17
			0xd2800808, // mov x8, 64 (write)
			0xd4000001, // svc 0
			0xd2800000, // mov x0, 0
			0xd2800ba8, // mov x8, 93 (exit)
			0xd4000001, // svc 0
		)},
		{"arm", elf.EM_ARM, 0x05000400, words(
			0xe3a00001, // mov r0, 1
			0xe28f1014, // add r1, pc, 20
			0xe3a0200f, // mov r2, 15
			0xe3a07004, // mov r7, 4 (write)
			0xef000000, // svc 0
			0xe3a00000, // mov r0, 0
			0xe3a07001, // mov r7, 1 (exit)
			0xef000000, // svc 0
		)},
		{"riscv64", elf.EM_RISCV, 5, words(
			0x00100513, // li a0, 1
			0x00000597, // auipc a1, 0
			0x02058593, // addi a1, a1, 32
			0x01300613, // li a2, 19
			0x04000893, // li a7, 64 (write)
			0x00000073, // ecall
			0x00000513, // li a0, 0
			0x05d00893, // li a7, 93 (exit)
			0x00000073, // ecall
		)},
	}
}

// file returns the program as an ELF executable with one segment.
func (p program) file() ([]byte, error) {
	body := append(p.code, "hello from "+p.arch+"\n"...)
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}
	var header, segment any
	if p.machine == elf.EM_ARM {
		const start = 52 + 32
		ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
		size := uint32(start + len(body))
		header = elf.Header32{
			Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine), Version: uint32(elf.EV_CURRENT), Entry: address + start,
			Phoff: 52, Flags: p.flags, Ehsize: 52, Phentsize: 32, Phnum: 1,
		}
		segment = elf.Prog32{
			Type: uint32(elf.PT_LOAD), Vaddr: address, Paddr: address, Filesz: size, Memsz: size, Flags: uint32(elf.PF_R | elf.PF_X), Align: address,
		}
	} else {
		const start = 64 + 56
		size := uint64(start + len(body))
		header = elf.Header64{
			Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine), Version: uint32(elf.EV_CURRENT), Entry: address + start,
			Phoff: 64, Flags: p.flags, Ehsize: 64, Phentsize: 56, Phnum: 1,
		}
		segment = elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: address, Paddr: address, Filesz: size, Memsz: size, Align: address,
		}
	}
	var b bytes.Buffer
	for _, part := range []any{header, segment, body} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func run(dir string) error {
	for _, p := range programs() {
		data, err := p.file()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "hello-"+p.arch), data, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./testdata/hello DIRECTORY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}
