package binary_test

import (
	"archive/zip"
	"bytes"
	"debug/macho"
	"debug/pe"
	enc "encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"mtool/inspect/binary"
)

// peSpec is a PE file to build.
type peSpec struct {
	machine   uint16
	narrow    bool
	subsystem uint16
	managed   []byte // the .NET header
	data      []byte
}

func (s peSpec) bytes() []byte {
	const at = 0x80
	le := enc.LittleEndian
	dos := make([]byte, at)
	copy(dos, "MZ")
	le.PutUint32(dos[60:], at)
	optional := make([]byte, 240)
	le.PutUint16(optional, 0x20b)
	dir := 112
	if s.narrow {
		optional, dir = optional[:224], 96
		le.PutUint16(optional, 0x10b)
	}
	le.PutUint16(optional[68:], s.subsystem)
	headers := at + 4 + 20 + len(optional) + 2*40
	if s.managed != nil {
		le.PutUint32(optional[dir+8*14:], 0x2000)
	}
	var b bytes.Buffer
	b.Write(dos)
	b.WriteString("PE\x00\x00")
	_ = enc.Write(&b, le,
		pe.FileHeader{
			Machine: s.machine, NumberOfSections: 2, SizeOfOptionalHeader: uint16(len(optional)),
			Characteristics: 0x22,
		})
	b.Write(optional)
	_ = enc.Write(&b, le,
		pe.SectionHeader32{VirtualAddress: 0x2000, SizeOfRawData: uint32(len(s.managed)), PointerToRawData: uint32(headers)})
	from := (headers + len(s.managed) + 15) / 16 * 16
	_ = enc.Write(&b, le, pe.SectionHeader32{
		VirtualAddress: 0x4000, SizeOfRawData: uint32(len(s.data)), PointerToRawData: uint32(from),
		Characteristics: pe.IMAGE_SCN_MEM_WRITE,
	})
	b.Write(s.managed)
	b.Write(make([]byte, from-b.Len()))
	b.Write(s.data)
	return b.Bytes()
}

// managed returns a .NET header.
func managed(flags uint32, native bool) []byte {
	b := make([]byte, 72)
	enc.LittleEndian.PutUint32(b, 72)
	enc.LittleEndian.PutUint32(b[16:], flags)
	if native {
		enc.LittleEndian.PutUint32(b[64:], 0x3000)
	}
	return b
}

func TestPE(t *testing.T) {
	t.Parallel()
	const linux = 0x7b79
	info := buildInfo("go1.26.8", "GOARCH=amd64", "GOOS=windows", "GOAMD64=v3")
	for _, c := range []struct {
		spec    peSpec
		os      string
		arch    string
		bits    int
		managed bool
		base    string
	}{
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_AMD64}, "windows", "amd64", 64, false, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_AMD64, data: info}, "windows", "amd64", 64, false, "v3"},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_ARM64}, "windows", "arm64", 64, false, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_ARM64, data: info}, "windows", "arm64", 64, false, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_I386, narrow: true}, "windows", "386", 32, false, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_ARMNT, narrow: true}, "windows", "arm", 32, false, "v7"},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_RISCV64, subsystem: 10}, "efi", "riscv64", 64, false, ""},
		{peSpec{machine: 0x4321}, "windows", "", 0, false, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_I386, narrow: true, managed: managed(1, false)}, "", "", 0, true, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_I386, narrow: true, managed: managed(3, false)}, "", "386", 32, true, ""},
		{
			peSpec{machine: pe.IMAGE_FILE_MACHINE_I386, narrow: true, managed: managed(0, false)},
			"windows", "386",
			32, true, "",
		},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_ARM64, managed: managed(1, false)}, "", "arm64", 64, true, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_ARM64 ^ linux, managed: managed(1, true)}, "linux", "arm64", 64, true, ""},
		{peSpec{machine: pe.IMAGE_FILE_MACHINE_AMD64, managed: managed(1, true)}, "windows", "amd64", 64, true, ""},
	} {
		f := read(t, c.spec.bytes())
		if f.Kind != binary.PE || f.OS != c.os || f.Arch != c.arch || f.Bits != c.bits || f.Managed != c.managed ||
			f.Baseline != c.base {
			t.Errorf("%#x: %#v", c.spec.machine, f)
		}
		if f.Machine != uint32(c.spec.machine) || f.Incomplete {
			t.Errorf("%#x: %#v", c.spec.machine, f)
		}
	}
}

func TestMalformedPE(t *testing.T) {
	t.Parallel()
	good := peSpec{machine: pe.IMAGE_FILE_MACHINE_AMD64}.bytes()
	magic := slices.Clone(good)
	magic[0x80+24] = 7
	for want, file := range map[string][]byte{
		"ends after 10 of 20 bytes": good[:0x80+14],
		"optional header of 10":     good[:0x80+34],
		"magic 0x207":               magic,
	} {
		f, err := binary.Read(bytes.NewReader(file), binary.Options{})
		if !errors.Is(err, binary.ErrMalformed) || !strings.Contains(err.Error(), want) || f.Kind != binary.PE {
			t.Errorf("%#v, %v, want %q", f, err, want)
		}
	}
	none := slices.Clone(good)
	none[0x80] = 'N' // NE, of Windows 3
	for _, file := range [][]byte{none, good[:63], []byte("MZ"), append([]byte("MZ"), make([]byte, 62)...)} {
		if f := read(t, file); f.Kind != binary.Other {
			t.Errorf("%d bytes: %#v", len(file), f)
		}
	}
}

func machHeader(order enc.ByteOrder, magic uint32, cpu macho.Cpu, kind macho.Type) []byte {
	var b bytes.Buffer
	_ = enc.Write(&b, order, macho.FileHeader{Magic: magic, Cpu: cpu, SubCpu: 3, Type: kind})
	b.Write(make([]byte, 4))
	return b.Bytes()
}

func TestMachO(t *testing.T) {
	t.Parallel()
	le, be := enc.LittleEndian, enc.BigEndian
	for _, c := range []struct {
		file []byte
		arch string
		bits int
		ord  binary.Order
	}{
		{machHeader(le, macho.Magic64, macho.CpuArm64, macho.TypeExec), "arm64", 64, binary.Little},
		{machHeader(le, macho.Magic64, macho.CpuAmd64, macho.TypeDylib), "amd64", 64, binary.Little},
		{machHeader(le, macho.Magic32, macho.CpuArm, macho.TypeExec), "arm", 32, binary.Little},
		{machHeader(be, macho.Magic32, macho.CpuPpc, macho.TypeBundle), "ppc", 32, binary.Big},
		{machHeader(be, macho.Magic64, macho.CpuPpc64, macho.TypeObj), "ppc64", 64, binary.Big},
		{machHeader(le, macho.Magic64, 99, macho.TypeExec), "", 64, binary.Little},
	} {
		f := read(t, c.file)
		if f.Kind != binary.MachO || f.OS != "darwin" || f.Arch != c.arch || f.Bits != c.bits || f.Order != c.ord ||
			f.Flags != 3 {
			t.Errorf("%x: %#v", c.file[:8], f)
		}
	}
	for want, file := range map[string][]byte{
		"ends after 4 of 28": {0xcf, 0xfa, 0xed, 0xfe},
		"file type 77":       machHeader(le, macho.Magic64, macho.CpuArm64, 77),
		"0 machines":         {0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0},
		"its 2 machines":     append([]byte{0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2}, make([]byte, 39)...),
		"1000 machines":      {0xca, 0xfe, 0xba, 0xbf, 0, 0, 3, 0xe8},
	} {
		f, err := binary.Read(bytes.NewReader(file), binary.Options{})
		if !errors.Is(err, binary.ErrMalformed) || !strings.Contains(err.Error(), want) || f.Kind != binary.MachO {
			t.Errorf("%x: %#v, %v, want %q", file, f, err, want)
		}
	}
}

// A fat Mach-O and a Java class begin with the same four bytes.
func TestCafebabe(t *testing.T) {
	t.Parallel()
	fat := func(magic byte, row int, cpus ...macho.Cpu) []byte {
		b := []byte{0xca, 0xfe, 0xba, magic, 0, 0, 0, byte(len(cpus))}
		for _, cpu := range cpus {
			b = append(enc.BigEndian.AppendUint32(b, uint32(cpu)), make([]byte, row-4)...)
		}
		return b
	}
	for _, file := range [][]byte{
		fat(0xbe, 20, macho.CpuAmd64, macho.CpuArm64, 1234), fat(0xbf, 32, macho.CpuAmd64, macho.CpuArm64, 1234),
	} {
		if f := read(t, file); f.Kind != binary.MachO || !slices.Equal(f.Archs, []string{"amd64", "arm64", "unknown"}) {
			t.Errorf("%x: %#v", file[:8], f)
		}
	}
	for _, version := range [][]byte{{0, 0, 0, 45}, {0, 3, 0, 45}, {0, 0, 0, 69}, {0xff, 0xff, 0, 69}} {
		if f := read(t, append([]byte{0xca, 0xfe, 0xba, 0xbe}, version...)); f.Kind != binary.JavaClass || f.Archs != nil {
			t.Errorf("version %x: %#v", version, f)
		}
	}
	if _, err := binary.Read(bytes.NewReader([]byte{0xca, 0xfe, 0xba, 0xbe, 1, 0, 0, 1}),
		binary.Options{}); !errors.Is(err, binary.ErrMalformed) {
		t.Errorf("version 1: %v", err)
	}
}

func TestZip(t *testing.T) {
	t.Parallel()
	archive := func(method uint16, names ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range names {
			h := &zip.FileHeader{Name: name, Method: method}
			f, err := w.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.Write(nil)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		names []string
		want  binary.Kind
	}{
		{[]string{"META-INF/", "META-INF/MANIFEST.MF", "a/B.class"}, binary.JavaArchive},
		{[]string{"META-INF/MANIFEST.MF"}, binary.JavaArchive},
		{[]string{"a/", "a/B.class"}, binary.JavaArchive},
		{[]string{"LICENSE", "a/b/", "META-INF/MANIFEST.MF"}, binary.JavaArchive},
		{[]string{"numpy/_core.so", "numpy.dist-info/METADATA"}, binary.Other},
		{[]string{"META-INF.txt", "class"}, binary.Other},
		{nil, binary.Other},
	} {
		if f := read(t, archive(zip.Store, c.names...)); f.Kind != c.want {
			t.Errorf("%v: %s, want %s", c.names, f.Kind, c.want)
		}
	}
}

// A zip in a zip, written as a stream: names of the inner archive do not count for the outer one.
func TestZipInZip(t *testing.T) {
	t.Parallel()
	inner := "PK\x03\x04" + strings.Repeat("\x00", 22) + "\x09\x00\x00\x00" + "META-INF/"
	for flags, want := range map[string]binary.Kind{"\x08": binary.Other, "\x00": binary.JavaArchive} {
		outer := "PK\x03\x04\x0a\x00" + flags + strings.Repeat("\x00", 19) + "\x01\x00\x00\x00" + "x"
		if f := read(t, []byte(outer+inner)); f.Kind != want {
			t.Errorf("flags %q: %s, want %s", flags, f.Kind, want)
		}
	}
}

func TestWasm(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"\x00asm\x01\x00\x00\x00", "\x00asm\x0d\x00\x01\x00"} {
		if f := read(t, []byte(file)); f.Kind != binary.Wasm || f.Arch != "wasm" {
			t.Errorf("%q: %#v", file, f)
		}
	}
	for _, file := range []string{"\x00asm", "\x00asm\x01\x00\x00", "\x00asm\x02\x00\x00\x00", "\x00asm\x01\x00\x02\x00"} {
		if f, err := binary.Read(strings.NewReader(file), binary.Options{}); !errors.Is(err, binary.ErrMalformed) ||
			f.Kind != binary.Wasm {
			t.Errorf("%q: %#v, %v", file, f, err)
		}
	}
}
