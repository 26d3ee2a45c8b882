package emulator

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestMagic compares the generated patterns with those of QEMU's qemu-binfmt-conf.sh.
func TestMagic(t *testing.T) {
	t.Parallel()
	for arch, want := range map[string]string{
		"arm64":   `\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`,
		"arm":     `\x7f\x45\x4c\x46\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00`,
		"s390x":   `\x7f\x45\x4c\x46\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16`,
		"riscv64": `\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00`,
	} {
		e := emulators()[arch]
		if got := escape(e.Magic); got != want || e.Arch != arch {
			t.Errorf("%s: got %s, want %s", arch, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	arm64 := emulators()["arm64"]
	program := func(change func([]byte)) []byte {
		b := make([]byte, 64)
		copy(b, arm64.Magic)
		change(b)
		return b
	}
	for name, c := range map[string]struct {
		head []byte
		want bool
	}{
		"executable":           {program(func([]byte) {}), true},
		"position independent": {program(func(b []byte) { b[16] = byte(elf.ET_DYN) }), true},
		"GNU ABI":              {program(func(b []byte) { b[elf.EI_OSABI] = byte(elf.ELFOSABI_LINUX) }), true},
		"core dump":            {program(func(b []byte) { b[16] = byte(elf.ET_CORE) }), false},
		"another machine":      {program(func(b []byte) { b[18] = byte(elf.EM_X86_64) }), false},
		"big endian":           {program(func(b []byte) { b[elf.EI_DATA] = byte(elf.ELFDATA2MSB) }), false},
		"short":                {arm64.Magic[:10], false},
		"script":               {[]byte("#!/bin/sh\n############"), false},
	} {
		if got := arm64.Matches(c.head); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	e := emulators()["arm64"]
	line, err := Found{Emulator: e, Path: "/usr/bin/qemu-aarch64-static"}.Line()
	if err != nil || !strings.HasPrefix(line, `:mtool-aarch64:M::\x7f`) ||
		!strings.HasSuffix(line, ":/usr/bin/qemu-aarch64-static:POCF") {
		t.Errorf("got %q, %v", line, err)
	}
	if line, err = (Found{Emulator: e, Path: "/a:b/qemu"}).Line(); err != nil ||
		!strings.HasPrefix(line, "|mtool-aarch64|M|") {
		t.Errorf("a path with a colon: %q, %v", line, err)
	}
	if _, err = (Found{Emulator: e, Path: "/" + strings.Repeat("x", 1900)}).Line(); err == nil {
		t.Error("a line longer than the kernel accepts")
	}
}

func TestFind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	e := emulators()["s390x"]
	_, err := Find(e, dir)
	var missing *MissingError
	if !errors.Is(err, ErrMissing) || !errors.As(err, &missing) || !strings.Contains(missing.Hint(), "qemu-user-static") ||
		!strings.Contains(missing.Hint(), dir) {
		t.Fatalf("got %v", err)
	}
	var sunway *MissingError
	if _, err := Find(emulators()["sw64"], dir); !errors.As(err, &sunway) ||
		!strings.Contains(sunway.Hint(), "put a static qemu-sw64 into "+dir) || strings.Contains(sunway.Hint(), "install") {
		t.Fatalf("got %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	foreign := append([]byte{}, own...)
	foreign[18]++
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		why     string
	}{
		"not executable":    {own, 0o644, "is not executable"},
		"not a program":     {[]byte("hello"), 0o755, "is not a program"},
		"another machine's": {foreign, 0o755, "is a program for"},
		"dynamic":           {dynamic(t), 0o755, "is not static"},
	} {
		if c.content == nil {
			continue // not installed here
		}
		put(t, filepath.Join(dir, "qemu-s390x"), c.content, c.mode)
		if _, err := Find(e, dir); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	put(t, filepath.Join(dir, "qemu-s390x"), static(t, own), 0o755)
	if f, err := Find(e, dir); err != nil || f.Path != filepath.Join(dir, "qemu-s390x") {
		t.Errorf("got %v, %v", f.Path, err)
	}
	put(t, filepath.Join(dir, "qemu-s390x-static"), static(t, own), 0o755)
	if f, err := Find(e, dir); err != nil || f.Path != filepath.Join(dir, "qemu-s390x-static") {
		t.Errorf("the -static one does not win: %v, %v", f.Path, err)
	}
}

func put(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	_ = os.Remove(path)
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

// dynamic returns a program with an interpreter: /bin/sh, or nil if that is static.
func dynamic(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("/bin/sh")
	if err != nil || !hasInterpreter(b) {
		return nil
	}
	return b
}

// static returns program without the header that names an interpreter; test binaries of the race detector have one.
func static(t *testing.T, program []byte) []byte {
	t.Helper()
	if !hasInterpreter(program) {
		return program
	}
	f, err := elf.NewFile(strings.NewReader(string(program)))
	if err != nil || f.Class != elf.ELFCLASS64 {
		t.Skip(fmt.Sprint("no static program to test with on ", runtime.GOARCH, ": ", err))
	}
	out := append([]byte{}, program...)
	const headers, headerSize = 64, 56
	for i := range f.Progs {
		if f.Progs[i].Type == elf.PT_INTERP {
			copy(out[headers+i*headerSize:], []byte{0, 0, 0, 0}) // PT_NULL
		}
	}
	return out
}

func hasInterpreter(program []byte) bool {
	f, err := elf.NewFile(strings.NewReader(string(program)))
	if err != nil {
		return false
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}
