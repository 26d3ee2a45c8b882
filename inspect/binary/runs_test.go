package binary_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

func plat(s string) v1.Platform {
	p := strings.Split(s, "/")
	return v1.Platform{OS: p[0], Architecture: p[1], Variant: strings.Join(p[2:], "/")}
}

// Every rule has a liar and its honest twin.
func TestRuns(t *testing.T) {
	t.Parallel()
	prog := func(arch, baseline string) binary.Fact {
		return binary.Fact{Kind: binary.ELFExecutable, Arch: arch, Baseline: baseline, Machine: 1}
	}
	system := func(f binary.Fact, os string) binary.Fact { f.OS = os; return f }
	kind := func(k binary.Kind) binary.Fact { return binary.Fact{Kind: k} }
	pe := func(os, arch string) binary.Fact { return binary.Fact{Kind: binary.PE, OS: os, Arch: arch, Machine: 1} }
	net := func(os, arch string) binary.Fact {
		return binary.Fact{Kind: binary.PE, OS: os, Arch: arch, Machine: 1, Managed: true}
	}
	mac := func(archs ...string) binary.Fact { return binary.Fact{Kind: binary.MachO, OS: "darwin", Archs: archs} }
	for _, c := range []struct {
		fact   binary.Fact
		in     string
		want   binary.Verdict
		reason string
	}{
		{prog("amd64", "v1"), "linux/amd64", binary.Right, ""},
		{prog("arm64", ""), "linux/amd64", binary.Wrong, "ELF executable for arm64, in linux/amd64"},
		{prog("amd64", "v1"), "linux/arm64", binary.Wrong, "ELF executable for amd64 (v1), in linux/arm64"},
		{prog("arm64", ""), "linux/arm64", binary.Right, ""},

		{prog("amd64", ""), "linux/amd64", binary.Unstated, "baseline not stated"},
		{prog("amd64", "v2"), "linux/amd64", binary.Newer, "(v2), in linux/amd64, which promises v1 only"},
		{prog("amd64", "v2"), "linux/amd64/v2", binary.Right, ""},
		{prog("amd64", "v3"), "linux/amd64/v2", binary.Newer, "v2 only"},
		{prog("amd64", "v1"), "linux/amd64/v4", binary.Right, ""},
		{prog("amd64", "v1"), "linux/amd64/v8", binary.Unstated, "whose variant is unknown"},

		{prog("arm", "v7"), "linux/arm/v6", binary.Wrong, "(v7), in linux/arm/v6, which promises v6 only"},
		{prog("arm", "v6"), "linux/arm/v7", binary.Right, ""},
		{prog("arm", "v6"), "linux/arm/v6", binary.Right, ""},
		{prog("arm", "v6"), "linux/arm/v5", binary.Wrong, "v5 only"},
		{prog("arm", "v7"), "linux/arm", binary.Right, ""},
		{prog("arm", "v8"), "linux/arm", binary.Wrong, "v7 only"},
		{prog("arm", "v8"), "linux/arm/v8", binary.Right, ""},
		{prog("arm", ""), "linux/arm/v6", binary.Unstated, "baseline not stated"},
		{prog("arm", "v5"), "linux/arm64", binary.Wrong, "32-bit programs are optional"},
		{prog("arm64", ""), "linux/arm/v8", binary.Wrong, "for arm64, in linux/arm/v8"},
		{prog("armbe", "v7"), "linux/arm", binary.Wrong, "for armbe"},

		{prog("arm64", "v8.0"), "linux/arm64", binary.Right, ""},
		{prog("arm64", "v8.2"), "linux/arm64", binary.Newer, "v8 only"},
		{prog("arm64", "v8.2"), "linux/arm64/v8.2", binary.Right, ""},
		{prog("arm64", "v8.5"), "linux/arm64/v9", binary.Right, ""},
		{prog("arm64", "v8.6"), "linux/arm64/v9", binary.Newer, "v9 only"},
		{prog("arm64", "v9.0"), "linux/arm64/v8.4", binary.Newer, "v8.4 only"},
		{prog("ppc64le", "power9"), "linux/ppc64le", binary.Newer, "power8 only"},
		{prog("ppc64le", "power8"), "linux/ppc64le", binary.Right, ""},
		{prog("riscv64", "rva22u64"), "linux/riscv64", binary.Newer, "rva20u64 only"},
		{prog("riscv64", "rva22u64"), "linux/riscv64/rva23u64", binary.Right, ""},

		{prog("386", ""), "linux/amd64", binary.Compatible, "which linux/amd64 runs too"},
		{prog("386", ""), "linux/arm64", binary.Wrong, "for 386,"},
		{prog("amd64", ""), "linux/386", binary.Wrong, "for amd64"},
		{prog("386", ""), "linux/386", binary.Right, ""},
		{prog("x32", ""), "linux/amd64", binary.Wrong, "for x32"},
		{prog("ppc64", ""), "linux/ppc64le", binary.Wrong, "for ppc64,"},
		{prog("ppc64le", ""), "linux/ppc64", binary.Wrong, "for ppc64le,"},
		{prog("mips", ""), "linux/mips64", binary.Wrong, "for mips,"},
		{prog("mips64p32", ""), "linux/mips64", binary.Wrong, "for mips64p32"},
		{prog("mipsle", ""), "linux/mipsle", binary.Right, ""},
		{prog("s390", ""), "linux/s390x", binary.Wrong, "for s390,"},
		{prog("s390x", ""), "linux/s390x", binary.Right, ""},
		{prog("riscv", ""), "linux/riscv64", binary.Wrong, "for riscv,"},
		{prog("", ""), "linux/amd64", binary.Wrong, "unknown machine 0x1"},
		{prog("", ""), "linux/", binary.Wrong, "unknown machine 0x1"},
		{
			binary.Fact{Kind: binary.ELFObject, Arch: "bpf", Device: true},
			"linux/amd64", binary.Silent,
			"not a processor that runs a system",
		},

		{system(prog("amd64", "v1"), "linux"), "linux/amd64", binary.Right, ""},
		{system(prog("amd64", "v1"), "android"), "linux/amd64", binary.Right, ""},
		{system(prog("amd64", "v1"), "freebsd"), "linux/amd64", binary.OtherOS, "freebsd/amd64"},
		{system(prog("amd64", "v1"), "freebsd"), "freebsd/amd64", binary.Right, ""},
		{system(prog("amd64", "v1"), "linux"), "freebsd/amd64", binary.OtherOS, "in freebsd/amd64"},
		// The header's system, which Linux ignores, does not excuse a wrong machine.
		{system(prog("arm64", ""), "freebsd"), "linux/amd64", binary.Wrong, "freebsd/arm64"},
		{prog("amd64", "v1"), "windows/amd64", binary.OtherOS, "windows needs PE"},
		{prog("arm64", ""), "darwin/arm64", binary.OtherOS, "darwin needs Mach-O"},

		{pe("windows", "amd64"), "windows/amd64", binary.Unstated, "baseline not stated"},
		{pe("windows", "arm64"), "windows/amd64", binary.Wrong, "for windows/arm64"},
		{pe("windows", "386"), "windows/amd64", binary.Compatible, "runs too"},
		{pe("windows", "amd64"), "linux/amd64", binary.OtherOS, "PE file for windows/amd64"},
		{pe("efi", "arm64"), "linux/amd64", binary.OtherOS, "efi/arm64"},
		{net("", ""), "linux/amd64", binary.Silent, "any machine"},
		{net("", ""), "windows/arm64", binary.Silent, "any machine"},
		{net("", "arm64"), "linux/arm64", binary.Right, ""},
		{net("", "arm64"), "linux/s390x", binary.Wrong, ".NET code for arm64"},
		{net("linux", "arm64"), "linux/arm64", binary.Right, ""},
		{net("linux", "s390x"), "linux/arm64", binary.Wrong, "for s390x"},
		{net("windows", "arm64"), "linux/arm64", binary.OtherOS, "windows/arm64"},

		{mac("amd64", "arm64"), "darwin/arm64", binary.Right, ""},
		{mac("amd64", "ppc"), "darwin/arm64", binary.Wrong, "darwin/amd64 and ppc"},
		{mac("amd64", "arm64"), "linux/arm64", binary.OtherOS, "darwin/amd64 and arm64"},

		{kind(binary.Script), "linux/amd64", binary.Silent, "a script is for any machine"},
		{kind(binary.JavaArchive), "linux/amd64", binary.Silent, "Java archive"},
		{kind(binary.JavaClass), "linux/amd64", binary.Silent, "Java class"},
		{kind(binary.Other), "linux/amd64", binary.Silent, "no known format"},
		{kind(binary.Wasm), "linux/amd64", binary.Silent, "WebAssembly"},
		{kind(binary.Wasm), "wasip1/wasm", binary.Right, ""},
		{prog("amd64", "v1"), "wasip1/wasm", binary.Wrong, "in wasip1/wasm"},
	} {
		got, reason := binary.Runs(c.fact, plat(c.in))
		if got != c.want || !strings.Contains(reason, c.reason) || (reason == "") != (got == binary.Right) {
			t.Errorf("%s in %s: %s %q, want %s %q", c.fact, c.in, got, reason, c.want, c.reason)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]binary.Fact{
		"ELF executable for arm (v7, hard float)": {
			Kind: binary.ELFExecutable, OS: "linux", Arch: "arm",
			Baseline: "v7", Float: binary.Hard,
		},
		"ELF shared object for freebsd/amd64":            {Kind: binary.ELFShared, OS: "freebsd", Arch: "amd64"},
		"ELF shared object for no machine (e_machine 0)": {Kind: binary.ELFShared, Bits: 64},
		"ELF object for unknown machine 0x1234":          {Kind: binary.ELFObject, Machine: 0x1234},
		"Mach-O file for darwin/amd64 and arm64": {
			Kind: binary.MachO, OS: "darwin",
			Archs: []string{"amd64", "arm64", "arm64"},
		},
		".NET code for any machine":                 {Kind: binary.PE, Managed: true, Machine: 0x14c},
		"file of no known format":                   {},
		"script":                                    {Kind: binary.Script, Interp: "/bin/sh"},
		"ELF core dump for s390x":                   {Kind: binary.ELFCore, Arch: "s390x"},
		"ELF file for amd64":                        {Kind: binary.ELFOther, Arch: "amd64"},
		"WebAssembly for wasm":                      {Kind: binary.Wasm, Arch: "wasm"},
		"ELF executable for riscv64 (double float)": {Kind: binary.ELFExecutable, Arch: "riscv64", Float: binary.Double},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
