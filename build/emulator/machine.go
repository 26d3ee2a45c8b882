package emulator

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Emulator is one of QEMU's user mode emulators and the programs that it runs.
type Emulator struct {
	// Arch is Go's name of the architecture.
	Arch string
	// Name is QEMU's name of the architecture: the binaries are qemu-NAME-static and qemu-NAME.
	Name string
	// Magic and Mask match a program by its first bytes: every bit that Mask sets must be as in Magic.
	Magic, Mask []byte
}

// Found is an emulator and its binary.
type Found struct {
	Emulator
	Path string
}

// sunway is the ELF number of Sunway's machines, which debug/elf lacks.
const sunway elf.Machine = 0x9916

// emulators returns them by Go's name of the architecture.
func emulators() map[string]Emulator {
	known := map[string]Emulator{
		"386":      elfProgram("i386", elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_386),
		"amd64":    elfProgram("x86_64", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_X86_64),
		"arm":      elfProgram("arm", elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM),
		"arm64":    elfProgram("aarch64", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_AARCH64),
		"loong64":  elfProgram("loongarch64", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_LOONGARCH),
		"mips":     elfProgram("mips", elf.ELFCLASS32, elf.ELFDATA2MSB, elf.EM_MIPS),
		"mips64":   elfProgram("mips64", elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_MIPS),
		"mips64le": elfProgram("mips64el", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_MIPS),
		"mipsle":   elfProgram("mipsel", elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_MIPS),
		"ppc64":    elfProgram("ppc64", elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_PPC64),
		"ppc64le":  elfProgram("ppc64le", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_PPC64),
		"riscv64":  elfProgram("riscv64", elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_RISCV),
		"s390x":    elfProgram("s390x", elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_S390),
		"sw64":     elfProgram("sw64", elf.ELFCLASS64, elf.ELFDATA2LSB, sunway),
	}
	for arch, e := range known {
		e.Arch = arch
		known[arch] = e
	}
	return known
}

// Architectures returns the architectures that can be emulated somewhere, by Go's names, sorted.
func Architectures() []string { return slices.Sorted(maps.Keys(emulators())) }

// ByArch returns the emulator of an architecture, by Go's name.
func ByArch(arch string) (Emulator, bool) {
	e, ok := emulators()[arch]
	return e, ok
}

// elfProgram matches executables and shared objects (position independent programs are those) of one machine. It
// ignores the operating system ABI byte: GNU programs with indirect functions set it.
// https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
func elfProgram(name string, class elf.Class, data elf.Data, machine elf.Machine) Emulator {
	const osABI, typ, end = elf.EI_OSABI, 16, 20
	magic, mask := make([]byte, end), slices.Repeat([]byte{0xff}, end)
	copy(magic, elf.ELFMAG)
	magic[elf.EI_CLASS], magic[elf.EI_DATA], magic[elf.EI_VERSION] = byte(class), byte(data), byte(elf.EV_CURRENT)
	mask[osABI] = 0
	var order binary.ByteOrder = binary.LittleEndian
	if data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	order.PutUint16(magic[typ:], uint16(elf.ET_EXEC))
	order.PutUint16(mask[typ:], 0xffff^1) // ET_EXEC is 2, ET_DYN is 3
	order.PutUint16(magic[typ+2:], uint16(machine))
	return Emulator{Name: name, Magic: magic, Mask: mask}
}

// Matches reports whether the emulator runs a program that starts with head.
func (e Emulator) Matches(head []byte) bool {
	if len(head) < len(e.Magic) {
		return false
	}
	for i := range e.Magic {
		if (head[i]^e.Magic[i])&e.Mask[i] != 0 {
			return false
		}
	}
	return true
}

// Flags are the flags of every registration. P keeps argv[0], O opens the program for the emulator, C takes set-user-id
// bits from the program, and F opens the emulator once for all mount namespaces: inside a container its path does not
// exist. https://docs.kernel.org/admin-guide/binfmt-misc.html
const Flags = "POCF"

// Line returns the line for binfmt_misc's register file.
func (f Found) Line() (string, error) {
	delimiter := ":"
	for _, d := range []string{":", "|", ";", "^"} {
		if !strings.Contains(f.Path, d) {
			delimiter = d
			break
		}
	}
	line := strings.Join([]string{"", "mtool-" + f.Name, "M", "", escape(f.Magic), escape(f.Mask), f.Path, Flags},
		delimiter)
	const limit = 1920 // MAX_REGISTER_LENGTH of fs/binfmt_misc.c
	if len(line) > limit || strings.Contains(f.Path, delimiter) {
		return "", fmt.Errorf("registering emulator %q: the path does not fit binfmt_misc", f.Path)
	}
	return line, nil
}

func escape(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		fmt.Fprintf(&s, `\x%02x`, c)
	}
	return s.String()
}
