package binary_test

import (
	"debug/elf"
	"testing"
)

// Each machine of Go (its syslist.go with the reserved ones, without amd64p32 and wasm) and of Debian's ports, past and
// present (dpkg's cputable), is recognised in its own width and byte order.
func TestMachinesOfGoAndDebian(t *testing.T) {
	t.Parallel()
	const narrow, wide, little, big = elf.ELFCLASS32, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.ELFDATA2MSB
	type header struct {
		machine elf.Machine
		class   elf.Class
		data    elf.Data
		flags   uint32
	}
	headers := map[string]header{
		"386": {elf.EM_386, narrow, little, 0}, "amd64": {elf.EM_X86_64, wide, little, 0},
		"x32": {elf.EM_X86_64, narrow, little, 0},
		"arm": {elf.EM_ARM, narrow, little, 0x5000400}, "armbe": {elf.EM_ARM, narrow, big, 0x5000400},
		"arm64": {elf.EM_AARCH64, wide, little, 0}, "arm64be": {elf.EM_AARCH64, wide, big, 0},
		"arm64ilp32": {elf.EM_AARCH64, narrow, little, 0},
		"loong64":    {elf.EM_LOONGARCH, wide, little, 0x43}, "sw64": {0x9916, wide, little, 0},
		"e2k":  {elf.EM_MCST_ELBRUS, wide, little, 0},
		"mips": {elf.EM_MIPS, narrow, big, 0x70001007}, "mipsle": {elf.EM_MIPS, narrow, little, 0x70001007},
		"mips64": {elf.EM_MIPS, wide, big, 0x80000007}, "mips64le": {elf.EM_MIPS, wide, little, 0x80000007},
		"mips64p32": {elf.EM_MIPS, narrow, big, 0x80000027}, "mips64p32le": {elf.EM_MIPS, narrow, little, 0x80000027},
		"ppc": {elf.EM_PPC, narrow, big, 0}, "ppcle": {elf.EM_PPC, narrow, little, 0}, "ppc64": {elf.EM_PPC64, wide, big, 1},
		"ppc64le": {elf.EM_PPC64, wide, little, 2},
		"riscv":   {elf.EM_RISCV, narrow, little, 5}, "riscv64": {elf.EM_RISCV, wide, little, 5},
		"s390": {elf.EM_S390, narrow, big, 0}, "s390x": {elf.EM_S390, wide, big, 0},
		"sparc": {elf.EM_SPARC, narrow, big, 0}, "sparc64": {elf.EM_SPARCV9, wide, big, 0},
		"alpha": {elf.EM_ALPHA, wide, little, 0}, "arc": {elf.EM_ARC_COMPACT2, narrow, little, 0},
		"avr32": {0x18ad, narrow, big, 0},
		"hppa":  {elf.EM_PARISC, narrow, big, 0}, "hppa64": {elf.EM_PARISC, wide, big, 0},
		"ia64": {elf.EM_IA_64, wide, little, 0},
		"m32r": {elf.EM_M32R, narrow, big, 0}, "m68k": {elf.EM_68K, narrow, big, 0},
		"nios2": {elf.EM_ALTERA_NIOS2, narrow, little, 0},
		"or1k":  {elf.EM_OPENRISC, narrow, big, 0}, "sh4": {elf.EM_SH, narrow, little, 0},
		"sh4eb": {elf.EM_SH, narrow, big, 0},
		"tile":  {elf.EM_TILEGX, wide, little, 0}, "microblaze": {elf.EM_MICROBLAZE, narrow, big, 0},
		"microblazeel": {elf.EM_MICROBLAZE, narrow, little, 0},
		"csky":         {252, narrow, little, 0},
	}
	inGo := []string{
		"386", "amd64", "arm", "armbe", "arm64", "arm64be", "loong64", "mips", "mipsle", "mips64", "mips64le", "mips64p32",
		"mips64p32le",
		"ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64",
	}
	// Debian's names, with ours where they differ. sh3 and sh4 have one number.
	inDebian := map[string]string{
		"alpha": "", "amd64": "", "arc": "", "armeb": "armbe", "arm": "", "arm64": "", "avr32": "", "hppa": "", "loong64": "",
		"i386": "386", "ia64": "",
		"m32r": "", "m68k": "", "mips": "", "mipsel": "mipsle", "mipsr6": "mips", "mipsr6el": "mipsle", "mips64": "",
		"mips64el": "mips64le",
		"mips64r6": "mips64", "mips64r6el": "mips64le", "mipsn32": "mips64p32", "mipsn32el": "mips64p32le", "nios2": "",
		"or1k":    "",
		"powerpc": "ppc", "powerpcel": "ppcle", "ppc64": "", "ppc64el": "ppc64le", "riscv64": "", "s390": "", "s390x": "",
		"sh3":   "sh4",
		"sh3eb": "sh4eb", "sh4": "", "sh4eb": "", "sparc": "", "sparc64": "", "tilegx": "tile", "x32": "", "arm64ilp32": "",
	}
	for _, name := range inGo {
		if _, ok := headers[name]; !ok {
			t.Errorf("Go's %s is not tested", name)
		}
	}
	for debian, name := range inDebian {
		if name == "" {
			name = debian
		}
		if _, ok := headers[name]; !ok {
			t.Errorf("Debian's %s is not tested", debian)
		}
	}
	for want, h := range headers {
		for _, kind := range []elf.Type{elf.ET_EXEC, elf.ET_DYN, elf.ET_REL} {
			f := read(t,
				elfSpec{
					class: h.class, data: h.data, machine: h.machine, flags: h.flags, kind: kind,
					segments: []segment{text()},
				}.bytes())
			if f.Arch != want {
				t.Errorf("%v of %v: %q, want %q", kind, h, f.Arch, want)
			}
		}
	}
}
