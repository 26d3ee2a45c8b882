package binary_test

import (
	"bytes"
	"debug/elf"
	enc "encoding/binary"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

const shtARM = elf.SectionType(0x70000003)

// arm returns an ARM program whose ELF flags state no float ABI.
func arm(segments []segment, sections ...section) elfSpec {
	return elfSpec{class: elf.ELFCLASS32, machine: elf.EM_ARM, flags: 0x5000000, segments: segments, sections: sections}
}

func TestARMAttributes(t *testing.T) {
	t.Parallel()
	le, be := enc.LittleEndian, enc.BigEndian
	levels := map[byte]string{
		0: "", 1: "v4", 2: "v4", 3: "v5", 4: "v5", 5: "v5", 6: "v6", 7: "v6", 8: "v7", 9: "v6", 10: "v7", 11: "v6",
		12: "v6", 13: "v7",
		14: "v8", 15: "v8", 16: "v8", 17: "v8", 21: "v8", 22: "v9", 23: "",
	}
	for cpu, want := range levels {
		for _, first := range []bool{false, true} {
			spec := arm([]segment{text()}, section{}, section{kind: shtARM, body: armAttributes(le, cpu, 1)},
				section{body: make([]byte, 100)})
			spec.first = first
			f := read(t, spec.bytes())
			if f.Baseline != want || f.Float != binary.Hard || (want != "") != (f.BaselineFrom == binary.FromAttributes) {
				t.Errorf("cpu %d, table first %t: %#v, want %q", cpu, first, f, want)
			}
		}
	}
	soft := read(t, arm([]segment{text()}, section{kind: shtARM, body: armAttributes(le, 4, 0)}).bytes())
	if soft.Float != binary.Soft || soft.Baseline != "v5" {
		t.Errorf("soft float: %#v", soft)
	}
	assembled := vendorAttributes(le, "aeabi", []byte{6, 10, 8, 1, 9, 2})
	if f := read(t, arm([]segment{text()}, section{kind: shtARM, body: assembled}).bytes()); f.Float != "" ||
		f.Baseline != "v7" {
		t.Errorf("assembled: %#v", f)
	}
	big := arm([]segment{text()}, section{kind: shtARM, body: armAttributes(be, 10, 1)})
	big.data = elf.ELFDATA2MSB
	if f := read(t, big.bytes()); f.Baseline != "v7" || f.Arch != "armbe" {
		t.Errorf("big-endian: %#v", f)
	}
	object := arm(nil, section{kind: shtARM, body: armAttributes(le, 10, 1)})
	object.kind = elf.ET_REL
	if f := read(t, object.bytes()); f.Baseline != "v7" || f.Kind != binary.ELFObject {
		t.Errorf("object: %#v", f)
	}
}

// Attributes of an embedded file do not count: a linker's test data, firmware in a driver.
func TestARMAttributesElsewhere(t *testing.T) {
	t.Parallel()
	le := enc.LittleEndian
	planted := armAttributes(le, 14, 1)
	for name, spec := range map[string]elfSpec{
		"in data": arm([]segment{text(), data(planted)}, section{kind: shtARM, body: armAttributes(le, 6, 1)}),
		"in many places": arm([]segment{text(), data(bytes.Repeat(planted, 50))},
			section{kind: shtARM, body: armAttributes(le, 6, 1)}),
		"of another type": arm([]segment{text()}, section{kind: elf.SHT_PROGBITS, body: planted},
			section{kind: shtARM, body: armAttributes(le, 6, 1)}),
		"by another owner": arm([]segment{text()},
			section{kind: shtARM, body: append(vendorAttributes(le, "gnu", []byte{6, 14}), armAttributes(le, 6, 1)[1:]...)}),
	} {
		for _, gap := range []int{0, 9000} { // the table in the first page and after it
			spec.gap = gap
			if f := read(t, spec.bytes()); f.Baseline != "v6" {
				t.Errorf("%s, after %d bytes: baseline %q", name, gap, f.Baseline)
			}
		}
	}
	if f := read(t, arm([]segment{text(), data(planted)}, section{}).bytes()); f.Baseline != "" {
		t.Errorf("planted only: baseline %q", f.Baseline)
	}
}

// The section is found at any offset in the windows, and with reads of any length.
func TestARMAttributesAnywhere(t *testing.T) {
	t.Parallel()
	attributes := section{kind: shtARM, body: armAttributes(enc.LittleEndian, 10, 1)}
	for gap := 60 << 10; gap < 70<<10; gap += 37 {
		symbols := section{body: make([]byte, 200<<10)}
		file := arm([]segment{text(), data(make([]byte, gap))}, attributes, symbols).bytes()
		if f := read(t, file); f.Baseline != "v7" || f.Incomplete {
			t.Fatalf("after %d bytes: %#v", gap, f)
		}
	}
}

// The section follows the data that is searched for Go's build information, and only the table follows the section:
// the last window may end within the section.
func TestARMAttributesAtTheEdge(t *testing.T) {
	t.Parallel()
	attributes := section{kind: shtARM, body: armAttributes(enc.LittleEndian, 10, 1)}
	for gap := 128 << 10; gap < 136<<10; gap += 13 { // less than the size of the attributes
		file := arm([]segment{text(), data(make([]byte, gap))}, section{}, attributes).bytes()
		if f := read(t, file); f.Baseline != "v7" || f.Incomplete {
			t.Fatalf("after %d bytes: %#v", gap, f)
		}
	}
}

// The section table comes before the section, but not in the first page.
func TestARMAttributesAfterTable(t *testing.T) {
	t.Parallel()
	attributes := section{kind: shtARM, body: armAttributes(enc.LittleEndian, 10, 1)}
	spec := arm([]segment{text()}, append(slices.Repeat([]section{{}}, 300), attributes)...)
	spec.first, spec.gap = true, 500<<10
	if f := read(t, spec.bytes()); f.Baseline != "v7" || f.Incomplete {
		t.Errorf("%#v", f)
	}
	f, err := binary.Read(bytes.NewReader(spec.bytes()), binary.Options{})
	if err != nil || f.Baseline != "" || !f.Incomplete {
		t.Errorf("the beginning only: %#v, %v", f, err)
	}
}

func TestARMAttributesBroken(t *testing.T) {
	t.Parallel()
	good := armAttributes(enc.LittleEndian, 10, 1)
	for n := range good {
		// However a file is truncated and whatever lengths it states, the baseline is never newer than the true one.
		f := read(t, arm([]segment{text()}, section{kind: shtARM, body: good[:n]}).bytes())
		if f.Baseline != "" && f.Baseline != "v7" {
			t.Errorf("cut at %d: %q", n, f.Baseline)
		}
		bad := slices.Clone(good)
		bad[n] ^= 0xff
		read(t, arm([]segment{text()}, section{kind: shtARM, body: bad}).bytes())
	}
	compatible := vendorAttributes(enc.LittleEndian, "aeabi", append([]byte{32, 1}, "BB\x00\x06\x0a"...))
	if f := read(t, arm([]segment{text()}, section{kind: shtARM, body: compatible}).bytes()); f.Baseline != "v7" {
		t.Errorf("after Tag_compatibility: %q", f.Baseline)
	}
}

// More sections than the header can count: the first entry of the table counts them.
func TestARMAttributesOfManySections(t *testing.T) {
	t.Parallel()
	file := arm([]segment{text()}, section{}, section{},
		section{kind: shtARM, body: armAttributes(enc.LittleEndian, 10, 1)}).bytes()
	table := len(file) - 3*40
	enc.LittleEndian.PutUint16(file[48:], 0)
	enc.LittleEndian.PutUint32(file[table+20:], 3)
	if f := read(t, file); f.Baseline != "v7" {
		t.Errorf("%#v", f)
	}
	enc.LittleEndian.PutUint32(file[table+20:], 2)
	if f := read(t, file); f.Baseline != "" {
		t.Errorf("after the last section: %#v", f)
	}
}

func TestGoBuildInfo(t *testing.T) {
	t.Parallel()
	info := buildInfo("go1.26.8", "GOARCH=amd64", "GOOS=linux", "GOAMD64=v3")
	amd64 := func(segments ...segment) elfSpec {
		return elfSpec{machine: elf.EM_X86_64, segments: append([]segment{text()}, segments...)}
	}
	f := read(t, amd64(data(info)).bytes())
	want := binary.Go{Version: "go1.26.8", OS: "linux", Arch: "amd64", Path: "x", Level: "v3"}
	if f.Baseline != "v3" || f.BaselineFrom != binary.FromGo || f.Go == nil || *f.Go != want || f.OS != "linux" {
		t.Errorf("%#v %#v", f, f.Go)
	}
	shifted := append(make([]byte, 8), info...)
	pointers := slices.Clone(info)
	pointers[15] = 0
	for name, spec := range map[string]elfSpec{
		"in read-only data, as in a program that reads build info": amd64(rodata(info)),
		"in code": amd64(segment{
			kind: elf.PT_LOAD, flags: elf.PF_R | elf.PF_W | elf.PF_X,
			body: info,
		}),
		"at an odd address":              amd64(data(shifted)),
		"with pointers":                  amd64(data(pointers)),
		"without a version":              amd64(data(buildInfo("1.26.8", "GOARCH=amd64", "GOAMD64=v3"))),
		"of another machine":             amd64(data(buildInfo("go1.26.8", "GOARCH=arm64", "GOAMD64=v3"))),
		"of an unknown level":            amd64(data(buildInfo("go1.26.8", "GOARCH=amd64", "GOAMD64=v9"))),
		"cut":                            amd64(data(info[:len(info)-60])),
		"with a version that never ends": amd64(data(append(slices.Clone(info[:32]), 0xff, 0xff, 0xff, 0xff, 0xff))),
	} {
		if f := read(t, spec.bytes()); f.Baseline != "" {
			t.Errorf("%s: baseline %q", name, f.Baseline)
		}
	}
	second := slices.Concat([]byte("\xff Go buildinf: no"), make([]byte, 47), info)
	if f := read(t, amd64(data(second)).bytes()); f.Baseline != "v3" {
		t.Errorf("after data that looks similar: %#v", f)
	}
}

// The build information is found at any offset in the windows, and its settings may be longer than a window.
func TestGoBuildInfoAnywhere(t *testing.T) {
	t.Parallel()
	long := slices.Repeat([]string{"GOEXPERIMENT=" + strings.Repeat("y", 100)}, 2000)
	info := buildInfo("go1.26.8", append(append([]string{"GOARCH=amd64"}, long...), "GOOS=linux", "GOAMD64=v2")...)
	for gap := 63 << 10; gap < 66<<10; gap += 16 {
		file := elfSpec{machine: elf.EM_X86_64, segments: []segment{text(), data(append(make([]byte, gap), info...))}}.bytes()
		if f := read(t, file); f.Baseline != "v2" || f.Go.OS != "linux" {
			t.Fatalf("after %d bytes: %#v", gap, f)
		}
	}
}

func TestGoLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		machine  elf.Machine
		class    elf.Class
		settings []string
		baseline string
		float    binary.Float
	}{
		{elf.EM_ARM, elf.ELFCLASS32, []string{"GOARCH=arm", "GOARM=5"}, "v5", binary.Soft},
		{elf.EM_ARM, elf.ELFCLASS32, []string{"GOARCH=arm", "GOARM=6"}, "v6", binary.Hard},
		{elf.EM_ARM, elf.ELFCLASS32, []string{"GOARCH=arm", "GOARM=7,softfloat"}, "v7", binary.Soft},
		{elf.EM_ARM, elf.ELFCLASS32, []string{"GOARCH=arm", "GOARM=5,hardfloat"}, "v5", binary.Hard},
		{elf.EM_AARCH64, elf.ELFCLASS64, []string{"GOARCH=arm64", "GOARM64=v8.1,lse"}, "v8.1", ""},
		{elf.EM_AARCH64, elf.ELFCLASS64, []string{"GOARCH=arm64", "GOARM64=v9.2"}, "v9.2", ""},
		{elf.EM_PPC64, elf.ELFCLASS64, []string{"GOARCH=ppc64le", "GOPPC64=power10"}, "power10", ""},
		{elf.EM_RISCV, elf.ELFCLASS64, []string{"GOARCH=riscv64", "GORISCV64=rva23u64"}, "rva23u64", binary.Soft},
		{elf.EM_MIPS, elf.ELFCLASS32, []string{"GOARCH=mipsle", "GOMIPS=softfloat"}, "", binary.Soft},
		{elf.EM_MIPS, elf.ELFCLASS64, []string{"GOARCH=mips64le", "GOMIPS64=hardfloat"}, "", binary.Hard},
		{elf.EM_386, elf.ELFCLASS32, []string{"GOARCH=386", "GO386=sse2"}, "", ""},
		{elf.EM_X86_64, elf.ELFCLASS64, []string{"GOARCH=amd64"}, "", ""},
	} {
		spec := elfSpec{
			machine: c.machine, class: c.class,
			segments: []segment{text(), data(buildInfo("go1.26.8", c.settings...))},
		}
		if f := read(t, spec.bytes()); f.Baseline != c.baseline || f.Float != c.float || f.Go == nil {
			t.Errorf("%v: %#v", c.settings, f)
		}
	}
}

// A linked program needs the newest baseline of its parts.
func TestNewestBaselineWins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		goarm    string
		cpu      byte
		baseline string
		from     string
	}{
		{"6", 10, "v7", binary.FromAttributes}, // Go for v6, C for v7
		{"7", 6, "v7", binary.FromGo},
		{"6", 6, "v6", binary.FromGo},
		{"5", 0, "v5", binary.FromGo},
	} {
		file := arm([]segment{text(), data(buildInfo("go1.26.8", "GOARCH=arm", "GOARM="+c.goarm))},
			section{kind: shtARM, body: armAttributes(enc.LittleEndian, c.cpu, 1)}).bytes()
		if f := read(t, file); f.Baseline != c.baseline || f.BaselineFrom != c.from {
			t.Errorf("GOARM=%s and cpu %d: %q from %q", c.goarm, c.cpu, f.Baseline, f.BaselineFrom)
		}
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	const needed, used = 0xc0008002, 0xc0010002
	for _, c := range []struct {
		machine elf.Machine
		note    segment
		want    string
	}{
		{elf.EM_X86_64, property(needed, 1), "v1"},
		{elf.EM_X86_64, property(needed, 3), "v2"},
		{elf.EM_X86_64, property(needed, 7), "v3"},
		{elf.EM_X86_64, property(needed, 4), "v3"},
		{elf.EM_X86_64, property(needed, 15), "v4"},
		{elf.EM_X86_64, property(needed, 0), ""},
		{elf.EM_X86_64, property(needed, 16), ""}, // an unknown level
		{elf.EM_X86_64, property(used, 15), ""},   // "used" does not mean "needed"
		{elf.EM_AARCH64, property(needed, 15), ""},
		{elf.EM_X86_64, note("gnu", 5, property(needed, 15).body[16:], 8), ""},
	} {
		f := read(t, elfSpec{machine: c.machine, segments: []segment{c.note, text()}}.bytes())
		if f.Baseline != c.want {
			t.Errorf("%v %x: %q, want %q", c.machine, c.note.body, f.Baseline, c.want)
		}
		c.note.kind = elf.PT_GNU_PROPERTY // the same note may be in this kind of segment
		if f := read(t, elfSpec{machine: c.machine, segments: []segment{text(), c.note}}.bytes()); f.Baseline != c.want {
			t.Errorf("%v %x, in a segment of its own: %q, want %q", c.machine, c.note.body, f.Baseline, c.want)
		}
	}
}

// The baseline is the first profile with all extensions, which are written as toolchains do.
func TestRISCVProfiles(t *testing.T) {
	t.Parallel()
	const rva20 = "rv64i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicsr2p0_zifencei2p0_zmmul1p0_zaamo1p0_zalrsc1p0_zca1p0_zcd1p0"
	for isa, want := range map[string]string{
		rva20:                                  "rva20u64",
		"rv64i2p1":                             "rva20u64",
		"rv64gc":                               "rva20u64",
		rva20 + "_zba1p0_zbb1p0_zbs1p0":        "rva22u64",
		rva20 + "_b1p0":                        "rva22u64",
		rva20 + "_zba1p0_v1p0_zve64d1p0":       "rva23u64",
		rva20 + "_zvl128b1p0_zicond1p0":        "rva23u64",
		"rva22u64":                             "rva22u64",
		"rva22u64_v":                           "rva23u64",
		rva20 + "_xtheadba1p0":                 "", // in no profile
		"rv32i2p1":                             "",
		"":                                     "",
		"rv64":                                 "rva20u64",
		"rv64i2p1_" + strings.Repeat("_", 400): "",
	} {
		body := vendorAttributes(enc.LittleEndian, "riscv", append(append([]byte{4, 16, 5}, isa...), 0))
		f := read(t,
			elfSpec{machine: elf.EM_RISCV, flags: 5, segments: []segment{text(), {kind: 0x70000003, body: body}}}.bytes())
		if f.Baseline != want || want != "" && f.BaselineFrom != binary.FromAttributes {
			t.Errorf("%s: %q from %q, want %q", isa, f.Baseline, f.BaselineFrom, want)
		}
	}
}

func TestSegmentsOfMachines(t *testing.T) {
	t.Parallel()
	const flagged = elf.ProgType(0x70000003)
	isa := "rv64i2p1_m2p0_a2p1_c2p0"
	attributes := vendorAttributes(enc.LittleEndian, "riscv", append(append([]byte{4, 16, 5}, isa...), 0))
	f := read(t,
		elfSpec{machine: elf.EM_RISCV, flags: 5, segments: []segment{text(), {kind: flagged, body: attributes}}}.bytes())
	if f.ISA != isa {
		t.Errorf("riscv: %#v", f)
	}
	mips := func(level, revision, fp byte) []byte {
		return append([]byte{0, 0, level, revision, 1, 1, 0, fp}, make([]byte, 16)...)
	}
	for _, c := range []struct {
		body  []byte
		isa   string
		float binary.Float
	}{
		{mips(32, 2, 1), "mips32r2", binary.Hard},
		{mips(32, 1, 3), "mips32", binary.Soft},
		{mips(64, 6, 5), "mips64r6", binary.Hard},
		{mips(2, 0, 0), "mips32r2", ""},
	} {
		f := read(t,
			elfSpec{
				class: elf.ELFCLASS32, machine: elf.EM_MIPS, flags: 0x70001000,
				segments: []segment{text(), {kind: flagged, body: c.body}},
			}.bytes())
		if f.ISA != c.isa || f.Float != c.float {
			t.Errorf("mips %v: %#v", c.body[:8], f)
		}
	}
}
