package binary_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// Every file that this kernel executes is judged by its machine, even with an odd header: the test executes a small
// program with mutated headers, and each one that runs must be wrong for another machine.
func TestExecutedFilesAreJudged(t *testing.T) {
	t.Parallel()
	program := tinyProgram(t)
	dir := t.TempDir()
	if !executes(t, dir, program) {
		t.Skip("programs can't be executed in the temporary directory")
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	mutants := oddHeaders(program)
	for range 250 {
		mutants = append(mutants, mutate(random, program))
	}
	ran := 0
	for n, m := range mutants {
		if bytes.Equal(m, program) || !executes(t, dir, m) {
			continue
		}
		ran++
		if !judged(m) {
			f, err := binary.Read(bytes.NewReader(m), binary.Options{Whole: true})
			t.Errorf("mutant %d of seed %d is executed but not judged: % x: %+v, %v", n, seed, m[:min(len(m), 64)], f, err)
		}
	}
	if ran < 20 {
		t.Errorf("seed %d: only %d of %d mutants were executed", seed, ran, len(mutants))
	}
	t.Logf("seed %d: %d of %d mutants were executed", seed, ran, len(mutants))
}

// judged reports whether a file is judged to be a program that another machine does not run.
func judged(file []byte) bool {
	other := "s390x"
	f, _ := binary.Read(bytes.NewReader(file), binary.Options{Whole: true})
	verdict, _ := binary.Runs(f, v1.Platform{OS: "linux", Architecture: other})
	return verdict == binary.Wrong && f.Arch == runtime.GOARCH &&
		(f.Kind == binary.ELFExecutable || f.Kind == binary.ELFShared)
}

// executes reports whether the kernel executes a file, with any result.
func executes(t *testing.T, dir string, file []byte) bool {
	t.Helper()
	path := filepath.Join(dir, "program")
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o700); err != nil {
		t.Fatal(err)
	}
	for {
		err := exec.Command(path).Run() // our own file, which ends at once
		var exit *exec.ExitError
		switch {
		case errors.Is(err, syscall.ETXTBSY): // another test has forked meanwhile
			continue
		case errors.As(err, &exit):
			return exit.Exited() && exit.ExitCode() == tinyCode
		}
		return false
	}
}

const tinyCode = 42

// tinyProgram returns a static program that exits with tinyCode.
func tinyProgram(t *testing.T) []byte {
	t.Helper()
	machine, code := elf.EM_X86_64, []byte{0xb8, 60, 0, 0, 0, 0xbf, tinyCode, 0, 0, 0, 0x0f, 0x05} // exit(42)
	switch runtime.GOARCH {
	case "amd64":
	case "arm64":
		machine, code = elf.EM_AARCH64, []byte{0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4}
	default:
		t.Skip("no program for " + runtime.GOARCH)
	}
	const base, head = 0x400000, 64 + 56
	s := elfSpec{machine: machine}
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1,
		Entry: base + head,
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	size := uint64(head + len(code))
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Filesz: size, Memsz: size,
		Align: 0x1000,
	}
	return append(append(s.put(header), s.put(segment)...), code...)
}

// oddHeaders returns copies of the program with headers that describe it wrongly.
func oddHeaders(program []byte) (all [][]byte) {
	change := func(at int, b ...byte) {
		m := bytes.Clone(program)
		copy(m[at:], b)
		all = append(all, m)
	}
	for _, value := range []byte{0, 1, 2, 3, 7, 64, 127, 128, 200, 255} {
		change(elf.EI_CLASS, value)
		change(elf.EI_DATA, value)
	}
	for _, value := range []byte{0, 2, 255} {
		change(elf.EI_VERSION, value)
		change(elf.EI_OSABI, value)
		change(20, value) // e_version
		change(52, value) // e_ehsize
	}
	change(elf.EI_CLASS, 1, 2, 0, 9)                                     // all of e_ident at once
	change(40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)           // e_shoff
	change(58, 1, 0, 0xff, 0xff, 0xff, 0xff)                             // sections
	change(elf.EI_CLASS, append([]byte{1, 1, 1}, make([]byte, 9)...)...) // 32 bits
	// a header of 32 bits within it
	change(40, 52, 0, 32, 0, 1, 0)
	change(elf.EI_CLASS, append(append([]byte{1}, program[5:40]...), 52, 0, 32, 0, 1, 0)...) // valid as 32 bits and as 64 bits
	return all
}

// mutate changes a few bytes of the header.
func mutate(random *rand.Rand, program []byte) []byte {
	m := bytes.Clone(program)
	for range 1 + random.IntN(4) {
		at := 4 + random.IntN(60)
		m[at] = byte(random.IntN(256))
		if random.IntN(3) == 0 {
			m[at] = byte(random.IntN(4))
		}
	}
	return m
}
