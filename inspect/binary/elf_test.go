package binary_test

import (
	"bytes"
	"debug/elf"
	"errors"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

func TestMachines(t *testing.T) {
	t.Parallel()
	const narrow, wide, little, big = elf.ELFCLASS32, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.ELFDATA2MSB
	for _, c := range []struct {
		arch    string
		machine elf.Machine
		class   elf.Class
		data    elf.Data
		flags   uint32
	}{
		{"386", elf.EM_386, narrow, little, 0},
		{"386", 6, narrow, little, 0},
		{"amd64", elf.EM_X86_64, wide, little, 0},
		{"x32", elf.EM_X86_64, narrow, little, 0},
		{"arm", elf.EM_ARM, narrow, little, 0x5000400},
		{"armbe", elf.EM_ARM, narrow, big, 0x5000400},
		{"arm64", elf.EM_AARCH64, wide, little, 0},
		{"arm64be", elf.EM_AARCH64, wide, big, 0},
		{"arm64ilp32", elf.EM_AARCH64, narrow, little, 0},
		{"s390x", elf.EM_S390, wide, big, 0},
		{"s390", elf.EM_S390, narrow, big, 0},
		{"ppc", elf.EM_PPC, narrow, big, 0},
		{"ppc64", elf.EM_PPC64, wide, big, 1},
		{"ppc64le", elf.EM_PPC64, wide, little, 2},
		{"riscv64", elf.EM_RISCV, wide, little, 5},
		{"riscv", elf.EM_RISCV, narrow, little, 5},
		{"mips", elf.EM_MIPS, narrow, big, 0x70001007},
		{"mipsle", elf.EM_MIPS, narrow, little, 0x70001007},
		{"mips64", elf.EM_MIPS, wide, big, 0x80000007},
		{"mips64le", elf.EM_MIPS, wide, little, 0x80000007},
		{"mips64p32", elf.EM_MIPS, narrow, big, 0x80000027},
		{"mips64p32le", elf.EM_MIPS, narrow, little, 0x80000027},
		{"loong64", elf.EM_LOONGARCH, wide, little, 0x43},
		{"sparc", elf.EM_SPARC, narrow, big, 0},
		{"sparc", elf.EM_SPARC32PLUS, narrow, big, 0},
		{"sparc64", elf.EM_SPARCV9, wide, big, 0},
		{"alpha", elf.EM_ALPHA, wide, little, 0},
		{"hppa", elf.EM_PARISC, narrow, big, 0},
		{"ia64", elf.EM_IA_64, wide, little, 0},
		{"m68k", elf.EM_68K, narrow, big, 0},
		{"sh4", elf.EM_SH, narrow, little, 0},
		{"arc", elf.EM_ARC_COMPACT2, narrow, little, 0},
		{"xtensa", elf.EM_XTENSA, narrow, little, 0},
		{"hexagon", elf.EM_QDSP6, narrow, little, 0},
		{"or1k", elf.EM_OPENRISC, narrow, big, 0},
		{"csky", 252, narrow, little, 0},
		{"bpf", elf.EM_BPF, wide, little, 0},
		{"", 0x1234, wide, little, 0},
		// Combinations that never existed; no kernel starts them.
		{"", elf.EM_X86_64, wide, big, 0},
		{"", elf.EM_386, wide, little, 0},
		{"", elf.EM_386, narrow, big, 0},
		{"", elf.EM_ARM, wide, little, 0},
		{"", elf.EM_S390, wide, little, 0},
		{"", elf.EM_PPC64, narrow, big, 0},
		{"", elf.EM_RISCV, wide, big, 5},
	} {
		f := read(t,
			elfSpec{class: c.class, data: c.data, machine: c.machine, flags: c.flags, segments: []segment{text()}}.bytes())
		wide := map[elf.Class]int{narrow: 32, wide: 64}
		order := map[elf.Data]binary.Order{little: binary.Little, big: binary.Big}
		if f.Arch != c.arch || f.Machine != uint32(c.machine) || f.Bits != wide[c.class] || f.Order != order[c.data] {
			t.Errorf("%v: %#v, want %q", c.machine, f, c.arch)
		}
		if f.Kind != binary.ELFExecutable || f.Flags != c.flags || f.Device != (c.arch == "bpf") || f.Incomplete {
			t.Errorf("%v: %#v", c.machine, f)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[elf.Type]binary.Kind{
		elf.ET_EXEC: binary.ELFExecutable, elf.ET_DYN: binary.ELFShared, elf.ET_REL: binary.ELFObject,
		elf.ET_CORE:     binary.ELFCore,
		elf.ET_NONE + 7: binary.ELFOther, elf.ET_LOOS: binary.ELFOther,
	} {
		f := read(t, elfSpec{kind: kind, machine: elf.EM_X86_64, segments: []segment{text()}}.bytes())
		if f.Kind != want || !f.Kind.ELF() {
			t.Errorf("%v: %s, want %s", kind, f.Kind, want)
		}
	}
	if binary.PE.ELF() {
		t.Error("PE is ELF")
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	const narrow, wide = elf.ELFCLASS32, elf.ELFCLASS64
	for _, c := range []struct {
		machine elf.Machine
		class   elf.Class
		flags   uint32
		abi     string
		float   binary.Float
		isa     string
	}{
		{elf.EM_ARM, narrow, 0x5000400, "eabi5", binary.Hard, ""},
		{elf.EM_ARM, narrow, 0x5000200, "eabi5", binary.Soft, ""},
		{elf.EM_ARM, narrow, 0x5000002, "eabi5", "", ""},
		{elf.EM_ARM, narrow, 0x4000400, "eabi4", "", ""}, // the float bits exist since version 5
		{elf.EM_ARM, narrow, 0x600, "", "", ""},
		{elf.EM_PPC64, wide, 0, "", "", ""},
		{elf.EM_PPC64, wide, 1, "elfv1", "", ""},
		{elf.EM_PPC64, wide, 2, "elfv2", "", ""},
		{elf.EM_RISCV, wide, 5, "lp64d", binary.Double, "rv64c"},
		{elf.EM_RISCV, wide, 4, "lp64d", binary.Double, "rv64"},
		{elf.EM_RISCV, wide, 1, "lp64", binary.Soft, "rv64c"},
		{elf.EM_RISCV, narrow, 9, "ilp32e", binary.Soft, "rv32c"},
		{elf.EM_RISCV, narrow, 3, "ilp32f", binary.Single, "rv32c"},
		{elf.EM_LOONGARCH, wide, 0x43, "lp64d", binary.Double, ""},
		{elf.EM_LOONGARCH, wide, 0x41, "lp64s", binary.Soft, ""},
		{elf.EM_MIPS, narrow, 0x70001005, "o32", "", "mips32r2"},
		{elf.EM_MIPS, narrow, 0x00000005, "o32", "", "mips1"},
		{elf.EM_MIPS, narrow, 0x60000025, "n32", "", "mips64"},
		{elf.EM_MIPS, narrow, 0x30002005, "o64", "", "mips4"},
		{elf.EM_MIPS, wide, 0xa0000007, "n64", "", "mips64r6"},
		{elf.EM_X86_64, wide, 0xffffffff, "", "", ""},
	} {
		f := read(t, elfSpec{class: c.class, machine: c.machine, flags: c.flags, segments: []segment{text()}}.bytes())
		if f.ABI != c.abi || f.Float != c.float || f.ISA != c.isa {
			t.Errorf("%v %#x: abi %q, float %q, isa %q", c.machine, c.flags, f.ABI, f.Float, f.ISA)
		}
	}
}

// Sunway has two machine numbers: the official one of binutils and the one that its toolchains used before.
func TestSunway(t *testing.T) {
	t.Parallel()
	for _, machine := range []elf.Machine{0x9916, 268} {
		if f := read(t, elfSpec{machine: machine, segments: []segment{text()}}.bytes()); f.Arch != "sw64" {
			t.Errorf("%d: %q", machine, f.Arch)
		}
		if f := read(t, elfSpec{machine: machine, data: elf.ELFDATA2MSB, kind: elf.ET_REL}.bytes()); f.Arch != "" {
			t.Errorf("%d, big-endian: %q", machine, f.Arch)
		}
	}
}

func TestWorlds(t *testing.T) {
	t.Parallel()
	goNote := note("Go", 4, []byte("a/b/c/d"), 4)
	for _, c := range []struct {
		flags    uint32
		segments []segment
		want     binary.World
	}{
		{0x43, []segment{text()}, binary.NewWorld},
		{0x41, []segment{text()}, binary.NewWorld},
		{0x03, []segment{text()}, binary.OldWorld},
		{0x03, []segment{text(), interp("/lib64/ld.so.1")}, binary.OldWorld},
		{0x43, []segment{text(), interp("/lib64/ld-linux-loongarch-lp64d.so.1")}, binary.NewWorld},
		// The loader decides: the first toolchains of the new world did not write the version.
		{0x03, []segment{text(), interp("/lib64/ld-linux-loongarch-lp64d.so.1")}, binary.NewWorld},
		{0x43, []segment{text(), interp("/lib64/ld.so.1")}, binary.OldWorld},
		{0x03, []segment{text(), interp("/lib/ld-musl-loongarch64.so.1")}, binary.NewWorld},
		{0x03, []segment{text(), interp("/opt/ld.so")}, binary.OldWorld},
		// Go's linker did not write it either.
		{0x03, []segment{text(), goNote}, ""},
		{0x43, []segment{text(), goNote}, binary.NewWorld},
		{0x03, []segment{text(), goNote, interp("/lib64/ld.so.1")}, binary.OldWorld},
	} {
		f := read(t, elfSpec{machine: elf.EM_LOONGARCH, flags: c.flags, segments: c.segments}.bytes())
		if f.World != c.want {
			t.Errorf("%#x, loader %q: %q, want %q", c.flags, f.Interp, f.World, c.want)
		}
	}
	if f := read(t,
		elfSpec{
			machine: elf.EM_MIPS, flags: 0x80000007,
			segments: []segment{text(), interp("/lib64/ld.so.1")},
		}.bytes()); f.World != "" {
		t.Errorf("mips64le: %q", f.World)
	}
}

// A segment can be loaded with page sizes that divide its alignment and the distance between its file offset and its
// address.
func TestPages(t *testing.T) {
	t.Parallel()
	load := func(align uint64) segment { s := text(); s.align = align; return s }
	for _, c := range []struct {
		machine  elf.Machine
		segments []segment
		want     int64
	}{
		{elf.EM_AARCH64, []segment{load(0x10000)}, 0x10000},
		{elf.EM_AARCH64, []segment{load(0x10000), load(0x1000)}, 0x1000},
		{elf.EM_AARCH64, []segment{load(0x1000), load(0x10000)}, 0x1000},
		{elf.EM_AARCH64, []segment{load(0x4000)}, 0x4000},
		{elf.EM_AARCH64, []segment{load(1), load(0)}, 0},
		{elf.EM_AARCH64, []segment{load(1 << 40)}, 1 << 22}, // 0x400000 is between file and memory
		{elf.EM_LOONGARCH, []segment{load(0x4000)}, 0x4000},
		{elf.EM_X86_64, []segment{load(0x1000)}, 0},
	} {
		if f := read(t, elfSpec{machine: c.machine, segments: c.segments}.bytes()); f.Page != c.want {
			t.Errorf("%v: %#x, want %#x", c.machine, f.Page, c.want)
		}
	}
}

func TestSystems(t *testing.T) {
	t.Parallel()
	tag := func(n byte) segment { return note("GNU", 1, []byte{n, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}, 4) }
	for _, c := range []struct {
		osabi elf.OSABI
		note  segment
		want  string
	}{
		{elf.ELFOSABI_NONE, text(), ""},
		{elf.ELFOSABI_LINUX, text(), "linux"},
		{elf.ELFOSABI_FREEBSD, text(), "freebsd"},
		{elf.ELFOSABI_ARM, text(), ""},
		{elf.ELFOSABI_STANDALONE, text(), ""},
		{elf.ELFOSABI_NONE, tag(0), "linux"},
		{elf.ELFOSABI_NONE, tag(1), "hurd"},
		{elf.ELFOSABI_NONE, tag(9), ""},
		{elf.ELFOSABI_FREEBSD, tag(0), "linux"}, // linked with Linux's C library, whatever the header says
		{elf.ELFOSABI_NONE, note("OpenBSD", 1, []byte{0, 0, 0, 0}, 4), "openbsd"},
		{elf.ELFOSABI_NONE, note("Android", 1, []byte{21, 0, 0, 0}, 4), "android"},
		{elf.ELFOSABI_NONE, note("FDO", 0xcafe1a7e, []byte("{}\x00\x00"), 4), ""},
	} {
		f := read(t, elfSpec{machine: elf.EM_X86_64, osabi: c.osabi, segments: []segment{text(), c.note}}.bytes())
		if f.OS != c.want || f.OSABI != uint8(c.osabi) {
			t.Errorf("%v with %x: OS %q, want %q", c.osabi, c.note.body, f.OS, c.want)
		}
	}
}

func TestInterpreter(t *testing.T) {
	t.Parallel()
	const loader = "/lib64/ld-linux-x86-64.so.2"
	here := interp(loader)
	for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
		for _, order := range []elf.Data{elf.ELFDATA2LSB, elf.ELFDATA2MSB} {
			f := read(t,
				elfSpec{
					class: class, data: order, machine: elf.EM_X86_64, kind: elf.ET_DYN,
					segments: []segment{here, text()},
				}.bytes())
			if f.Interp != loader {
				t.Errorf("%v %v: interpreter %q", class, order, f.Interp)
			}
		}
	}
	two := elfSpec{machine: elf.EM_X86_64, segments: []segment{text(), interp("/first"), interp("/second")}}
	if f := read(t, two.bytes()); f.Interp != "/first" {
		t.Errorf("got the interpreter %q, want the first, which the kernel takes", f.Interp)
	}
	if f := read(t, elfSpec{machine: elf.EM_X86_64, segments: []segment{text()}}.bytes()); f.Interp != "" {
		t.Errorf("a static program has the interpreter %q", f.Interp)
	}
}

// A loader after the first 64 KiB, where patchelf moves it, is read with Whole; otherwise the fact is marked
// incomplete.
func TestLateInterpreter(t *testing.T) {
	t.Parallel()
	file := elfSpec{machine: elf.EM_X86_64, gap: 300 << 10, segments: []segment{text(), interp("/nix/ld.so")}}.bytes()
	if f := read(t, file); f.Interp != "/nix/ld.so" || f.Incomplete {
		t.Errorf("whole: %#v", f)
	}
	f, err := binary.Read(bytes.NewReader(file), binary.Options{})
	if err != nil || f.Interp != "" || !f.Incomplete || f.Arch != "amd64" {
		t.Errorf("the beginning: %#v, %v", f, err)
	}
	f, err = binary.Read(bytes.NewReader(file[:200<<10]), binary.Options{Whole: true})
	if err != nil || f.Interp != "" || !f.Incomplete {
		t.Errorf("truncated: %#v, %v", f, err)
	}
}

func TestMalformedELF(t *testing.T) {
	t.Parallel()
	good := elfSpec{machine: elf.EM_X86_64, segments: []segment{interp("/lib/ld.so"), text()}}
	change := func(off int, b ...byte) []byte {
		file := good.bytes()
		copy(file[off:], b)
		return file
	}
	if f := read(t, good.bytes()); f.Interp != "/lib/ld.so" {
		t.Fatalf("the honest twin: %#v", f)
	}
	long := good
	long.segments = []segment{interp(strings.Repeat("/", 5000)), text()}
	open := good
	open.segments = []segment{{kind: elf.PT_INTERP, body: []byte("/lib/ld.so")}, text()}
	files := map[string]struct {
		file []byte
		want string
	}{
		"only the magic":     {[]byte("\x7fELF"), "ends after 4 bytes"},
		"half an ident":      {good.bytes()[:15], "ends after 15 bytes"},
		"half a header":      {good.bytes()[:63], "ends after 63 of 64 bytes"},
		"class 0":            {change(4, 0), "class 0"},
		"class 3":            {change(4, 3), "class 3"},
		"order 0":            {change(5, 0), "byte order 0"},
		"order 3":            {change(5, 3), "byte order 3"},
		"version 2":          {change(6, 2), "version 2"},
		"no segments":        {elfSpec{machine: elf.EM_X86_64}.bytes(), "without segments"},
		"odd segments":       {change(54, 55, 0), "55 bytes instead of 56"},
		"too many segments":  {change(56, 0xff, 0xff), "65535 segments"},
		"a long interpreter": {long.bytes(), "interpreter of 5001 bytes"},
		"an open path":       {open.bytes(), "does not end in NUL"},
	}
	for name, c := range files {
		f, err := binary.Read(bytes.NewReader(c.file), binary.Options{Whole: true})
		if !errors.Is(err, binary.ErrMalformed) || !strings.Contains(err.Error(), c.want) || !f.Kind.ELF() {
			t.Errorf("%s: %#v, error %v, want %q", name, f, err, c.want)
		}
	}
	// Malformed files that Linux nevertheless executes are judged.
	for _, name := range []string{
		"class 0", "class 3", "order 0", "order 3", "version 2", "half a header",
		"a long interpreter", "an open path",
	} {
		if f, _ := binary.Read(bytes.NewReader(files[name].file), binary.Options{Whole: true}); f.Arch != "amd64" ||
			f.Kind != binary.ELFExecutable {
			t.Errorf("%s: %#v", name, f)
		}
	}
	for name, file := range map[string][]byte{
		"cut in the segment table":  good.bytes()[:100],
		"a large segment offset":    change(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"a negative segment offset": change(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	} {
		f, err := binary.Read(bytes.NewReader(file), binary.Options{Whole: true})
		if err != nil || !f.Incomplete || f.Arch != "amd64" {
			t.Errorf("%s: %#v, %v", name, f, err)
		}
	}
}

func TestSplitDebugInformation(t *testing.T) {
	t.Parallel()
	empty := segment{kind: elf.PT_INTERP}
	f := read(t, elfSpec{machine: elf.EM_X86_64, kind: elf.ET_DYN, segments: []segment{text(), empty}}.bytes())
	if f.Interp != "" || !f.Incomplete {
		t.Errorf("%#v", f)
	}
}

func TestBuildIDs(t *testing.T) {
	t.Parallel()
	f := read(t, elfSpec{machine: elf.EM_AARCH64, segments: []segment{
		text(), note("GNU", 3, []byte{0xde, 0xad, 0xbe, 0xef}, 4), note("Go", 4, []byte("abc/def"), 4),
		note("GNU", 4, []byte("gold"), 4),
	}}.bytes())
	if f.BuildID != "deadbeef" || f.Go == nil || f.Go.BuildID != "abc/def" {
		t.Errorf("%#v %#v", f, f.Go)
	}
}

// Notes in one segment are padded to its alignment.
func TestNotesInOneSegment(t *testing.T) {
	t.Parallel()
	for _, align := range []int{4, 8} {
		both := note("GNU", 4, []byte("gold"), align)
		both.body = append(both.body, note("GNU", 3, []byte{0xca, 0xfe}, align).body...)
		if f := read(t, elfSpec{machine: elf.EM_X86_64, segments: []segment{text(), both}}.bytes()); f.BuildID != "cafe" {
			t.Errorf("aligned to %d: %#v", align, f)
		}
	}
}

// A Go program is recognised from its beginning. Its build information comes later in the file, so the fact is
// incomplete.
func TestGoFromTheBeginning(t *testing.T) {
	t.Parallel()
	spec := elfSpec{machine: elf.EM_X86_64, segments: []segment{text(), note("Go", 4, []byte("abc/def"), 4)}}
	f, err := binary.Read(bytes.NewReader(spec.bytes()), binary.Options{})
	if err != nil || f.Go == nil || f.Go.BuildID != "abc/def" || !f.Incomplete {
		t.Errorf("%#v, %v", f, err)
	}
	if f := read(t, spec.bytes()); f.Incomplete {
		t.Errorf("whole: %#v", f)
	}
}

func TestLyingNotes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string][]byte{
		"long owner": {0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4},
		"long text":  {4, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 3, 0, 0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4},
		"cut":        {4, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 1, 2, 3, 4},
	} {
		n := segment{kind: elf.PT_NOTE, align: 4, body: body}
		f := read(t, elfSpec{machine: elf.EM_X86_64, segments: []segment{n, text()}}.bytes())
		if f.BuildID != "" {
			t.Errorf("%s: build id %q", name, f.BuildID)
		}
	}
}
