package binary_test

import (
	"slices"
	"testing"

	"mtool/inspect/binary"
)

func TestFits(t *testing.T) {
	t.Parallel()
	const mips = 8
	arm := func(f binary.Float) binary.Fact { return binary.Fact{Arch: "arm", ABI: "eabi5", Float: f} }
	abi := func(arch, abi string) binary.Fact { return binary.Fact{Arch: arch, ABI: abi} }
	loong := func(flags uint32) binary.Fact { return binary.Fact{Arch: "loong64", ABI: "lp64d", Flags: flags} }
	release := func(isa string, flags uint32) binary.Fact {
		return binary.Fact{Arch: "mips64le", Machine: mips, ABI: "n64", ISA: isa, Flags: flags}
	}
	for _, c := range []struct {
		program, library binary.Fact
		first, second    string
	}{
		{arm(binary.Hard), arm(binary.Hard), "", ""},
		{arm(binary.Hard), arm(binary.Soft), "hard float", "soft float"},
		{arm(binary.Soft), arm(binary.Hard), "soft float", "hard float"},
		{arm(binary.Hard), arm(""), "", ""},
		{arm(binary.Hard), binary.Fact{Arch: "arm", ABI: "eabi4"}, "", ""},
		{abi("riscv64", "lp64d"), abi("riscv64", "lp64"), "lp64d", "lp64"},
		{abi("riscv64", "lp64d"), abi("riscv64", "lp64d"), "", ""},
		{abi("ppc64", "elfv1"), abi("ppc64", "elfv2"), "elfv1", "elfv2"},
		{abi("ppc64le", "elfv2"), abi("ppc64le", ""), "", ""},
		{loong(0x03), loong(0x43), "the old world", "the new world"},
		{loong(0x43), loong(0x43), "", ""},
		{loong(0x03), abi("loong64", "lp64s"), "lp64d", "lp64s"},
		{release("mips64r2", 0), release("mips64r6", 0), "a release before 6", "release 6"},
		{release("mips64r2", 0), release("mips64", 0), "", ""},
		{release("mips64r2", 0), release("mips64r2", 0x400), "legacy nan", "nan2008"},
		{binary.Fact{Arch: "amd64", Baseline: "v1"}, binary.Fact{Arch: "amd64", Baseline: "v3"}, "", ""},
	} {
		fits, first, second := binary.Fits(c.program, c.library)
		if fits != (c.first == "") || first != c.first || second != c.second {
			t.Errorf("%+v and %+v: %v, %q and %q", c.program, c.library, fits, first, second)
		}
	}
}

// ABIOf distinguishes the ABIs of each machine.
func TestABIOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact binary.Fact
		name string
		want string
	}{
		{binary.Fact{Arch: "loong64", World: binary.OldWorld, ABI: "lp64d"}, "new", "old"},
		{binary.Fact{Arch: "loong64", World: binary.NewWorld, ABI: "lp64d"}, "new", "new"},
		{binary.Fact{Arch: "loong64"}, "new", ""},
		{binary.Fact{Arch: "loong64", ABI: "lp64d"}, "lp64d", "lp64d"},
		{binary.Fact{Arch: "arm", Float: binary.Soft}, "hard", "soft"},
		{binary.Fact{Arch: "arm", ABI: "eabi5"}, "hard", ""},
		{binary.Fact{Arch: "riscv64", ABI: "lp64", Float: binary.Soft}, "lp64d", "lp64"},
		{binary.Fact{Arch: "amd64", Interp: "/lib/ld-musl-x86_64.so.1"}, "musl", "musl"},
		{binary.Fact{Arch: "amd64", Interp: "/lib64/ld-linux-x86-64.so.2"}, "musl", "glibc"},
		{binary.Fact{Arch: "amd64"}, "musl", ""},
		{binary.Fact{Arch: "amd64", Interp: "/opt/ld"}, "musl", "/opt/ld"},
	} {
		if got := c.fact.ABIOf(c.name); got != c.want {
			t.Errorf("%+v and %s: %q, want %q", c.fact, c.name, got, c.want)
		}
	}
	if !slices.Contains(binary.ABIs("loong64"), "old") || slices.Contains(binary.ABIs("amd64"), "hard") {
		t.Error("a machine lacks its ABIs or has those of another")
	}
}

func TestLibc(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/lib64/ld-linux-x86-64.so.2": "glibc", "/lib/ld-linux.so.2": "glibc", "/lib/ld64.so.1": "glibc",
		"/lib/ld.so.1":                         "glibc",
		"/lib64/ld-linux-loongarch-lp64d.so.1": "glibc", "/nix/store/x-glibc-2.40/lib/ld-linux-x86-64.so.2": "glibc",
		"/lib/ld-musl-x86_64.so.1": "musl", "/lib/ld-uClibc.so.0": "uclibc", "/system/bin/linker64": "bionic",
		"/opt/ld": "", "": "",
	} {
		if got := binary.Libc(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
