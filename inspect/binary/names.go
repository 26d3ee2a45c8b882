package binary

import (
	"slices"
	"strings"
	"sync"
)

// machineNames is the one table of words for machines. A row begins with the machine as Fact.Arch spells it. After
// the colon are the words that Debian, Fedora, Alpine, Arch, Nix, Go, Rust, Node, Python, Ruby, Java, .NET, CMake,
// Bazel, Electron, Conda, Yocto, Android, QEMU and the kernel use for it: in lower case, and with _ for a dash. If a
// word stands for several machines, the first is the most common meaning.
const machineNames = `
amd64: amd64 x86_64 x64 x8664 em64t intel64 x86_64h amd64p32 k8 core2_64 corei7_64 linuxx64 linuxx86_64
amd64: x86_64_v1 x86_64_v2 x86_64_v3 x86_64_v4 amd64v1 amd64v2 amd64v3 amd64v4 linux64 linux_64 win64 win_64 osx_64
x32: x32 gnux32 muslx32 libx32 x86_64_linux_gnux32 x86_64_unknown_linux_gnux32 x86_64_linux_muslx32
386: 386 i386 i486 i586 i686 x86 x86_32 ia32 i86pc pentium3 pentium4 piii athlon geode core2_32 corei7_32
386: linux32 linux_32 win_32 linuxx86 x32
arm64: arm64 aarch64 aarch_64 arm_64 arm64v8 arm64_v8 arm64_v8a arm64e arm64ec armv8 armv8a armv8_a armv9 armv9a armv9_a
arm64: a64 sbsa linuxarm64 linuxaarch64 cortexa34 cortexa35 cortexa53 cortexa55 cortexa57 cortexa65 cortexa72 cortexa73
arm64: cortexa75 cortexa76 cortexa77 cortexa78 cortex_a35 cortex_a53 cortex_a55 cortex_a57 cortex_a72
arm64: cortex_a73 cortex_a76
arm64be: arm64be aarch64_be aarch64be arm64_be
arm64ilp32: arm64ilp32 aarch64_ilp32 arm64_32 gnu_ilp32 aarch64_linux_gnu_ilp32
arm64ilp32: aarch64_unknown_linux_gnu_ilp32
arm: arm armhf armel armle aarch32 arm32 arm_32 armhf_32 armel_32 armeabi armeabi_v7a arm32v5 arm32v6 arm32v7 arm_v5
arm: arm_v6 arm_v7 gnueabi gnueabihf musleabi musleabihf androideabi linuxarm32 thumb thumbv6 thumbv7
arm: thumbv7a thumbv7neon
arm: armv3l armv4 armv4l armv4t armv4tl armv5 armv5e armv5l armv5te armv5tel armv5tejl armv5tl armv6 armv6l
arm: armv6h armv6hf
arm: armv6hl armv6_m armv7 armv7l armv7a armv7_a armv7h armv7hf armv7hl armv7hnl armv7k armv7s armv7_m
arm: armv7e_m armv7e_mf
arm: armv7at2hf armv7vet2hf armv8l armv8hl armv8_m cortexa5 cortexa7 cortexa8 cortexa9 cortexa15 cortexa17 cortexa7t2hf
arm: cortexa8t2hf cortexa9t2hf cortexa15t2hf cortex_a5 cortex_a7 cortex_a8 cortex_a9 cortex_a15
armbe: armbe armeb armv4b armv5b armv6b armv7b
ppc64: ppc64 powerpc64 ppc_64 powerpc_64 ppc64be ppcbe_64 ppc64p7 ppc64iseries ppc64pseries
ppc64le: ppc64le ppc64el ppc64_le powerpc64le powerpc64_le powerpc64el ppcle_64 power8 power9 power10 ppc64
ppc: ppc powerpc ppc32 ppc_32 powerpcspe ppc8260 ppciseries ppcpseries
ppcle: ppcle powerpcle ppcle_32
s390x: s390x s390_64
s390: s390 s390_32
riscv: riscv riscv32 riscv_32 riscv32gc riscv32imac riscv32imc rv32 rv32imc
riscv64: riscv64 riscv64d riscv64gc riscv64imac riscv64a23 riscv_64 rv64 rv64gc riscv
loong64: loong64 loongarch64 loongarch_64 loongarch loong la64
loong32: loong32 loongarch32 loongarch_32 la32
sw64: sw64 sw_64 shenwei sunway sw_64sw6a sw_64sw6b sw_64sw8a
mips64: mips64 mips64be mips64eb mips_64 mips64r2 mips64r6 mipsisa64r6 octeon gnuabi64
mips64le: mips64le mips64el mips64r2el mips64r5el mips64r6el mipsisa64r6el mipsel_64 loongson3a mips64 gnuabi64
mips64le: mips64el_linux_gnuabi64 mipsisa64r6el_linux_gnuabi64 mips64el_unknown_linux_gnuabi64
mips64p32: mips64p32 mipsn32 mipsn32r6 mips64_linux_gnuabin32 mipsisa64r6_linux_gnuabin32 n32 gnuabin32
mips64p32le: mips64p32le mipsn32el mipsn32r6el mips64el_linux_gnuabin32 mipsisa64r6el_linux_gnuabin32 gnuabin32
mips: mips mipsbe mipseb mips32 mips_32 mips32r2 mips32r6 mipsr6 mipsisa32r6
mipsle: mipsle mipsel mipsel_32 mips32el mips32le mips32r2el mips32r6el mipsr6el mipsisa32r6el mips
sparc64: sparc64 sparc_64 sparcv9 sparc64v sparcv9v
sparc: sparc sparc32 sparc_32 sparcv8 sparc32plus sparcv9
alpha: alpha alphaev5 alphaev56 alphaev6 alphaev67 alphapca56
hppa: hppa hppa1 parisc parisc_32 pa_risc pa
hppa64: hppa64 parisc64 parisc_64
ia64: ia64 ia64n ia64w ia_64 itanium itanium64 itanium_64
m68k: m68k m68000 coldfire
sh4: sh4 sh3 sh4a sh superh
sh4eb: sh4eb
or1k: or1k openrisc or32
microblaze: microblaze microblazebe
microblazeel: microblazeel
e2k: e2k e2k32 e2kv2 e2kv3 e2kv4 e2kv5 e2kv6 elbrus
arc: arc archs arceb
csky: csky
m32r: m32r
avr32: avr32
xtensa: xtensa xtensaeb
hexagon: hexagon qdsp6
nios2: nios2
tile: tile tilegx tilepro
avr: avr
msp430: msp430
v850: v850
rx: rx
lanai: lanai
ve: ve
videocore: videocore vc4
tricore: tricore
blackfin: blackfin bfin
c6x: c6x
rl78: rl78
bpf: bpf bpfel bpfeb ebpf
amdgpu: amdgpu amdgcn
cuda: cuda nvptx nvptx64
wasm: wasm wasm32 wasm64
`

// vagueNames are words of the table that also mean other things, or several machines without distinction.
const vagueNames = ` 386 x86 x32 arm ppc powerpc mips riscv sparc loong loongarch a64 n32 thumb k8 piii athlon geode linux64 linux_64 linux32
 linux_32 win64 win_64 win_32 osx_64 power8 power9 power10 sunway octeon itanium pa sh rx ve arc avr tile alpha elbrus hexagon cuda `

// wordTables maps words to machines and machines to words. The maps are made once, since they never change.
var wordTables = sync.OnceValue(func() (t struct{ archs, words map[string][]string }) {
	t.archs, t.words = map[string][]string{}, map[string][]string{}
	for row := range strings.Lines(strings.TrimPrefix(machineNames, "\n")) {
		arch, words, _ := strings.Cut(row, ":")
		for word := range strings.FieldsSeq(words) {
			t.archs[word] = append(t.archs[word], arch)
			t.words[arch] = append(t.words[arch], word)
		}
	}
	return t
})

// Machine is the meaning of a word for machines.
type Machine struct {
	// Archs are the machines as Fact.Arch spells them, the most common meaning first: Node's ppc64 is little-endian,
	// Java's is not.
	Archs []string
	// Vague says that the word alone is no evidence: it also means other things (alpha), or machines of both widths
	// (x86, arm).
	Vague bool

	at, end int // the position of the word in the text
}

// Arch returns the most common meaning of the word.
func (m Machine) Arch() string { return m.Archs[0] }

// Is reports whether the word is used for a machine.
func (m Machine) Is(arch string) bool { return slices.Contains(m.Archs, arch) }

// Span returns the position of the word in the text of NamedIn.
func (m Machine) Span() (from, to int) { return m.at, m.end }

// ForImages reports whether container images exist for a machine. Code for another one is for a device, an emulator
// or another system.
func ForImages(arch string) bool { return arch != "" && strings.Contains(imagesFor, " "+arch+" ") }

// Named returns the machine that a word means, in either case: x86_64, AMD64, aarch-64, riscv64gc. Use NamedIn for
// texts that contain more (linux-x64, arm-linux-gnueabihf).
func Named(word string) (Machine, bool) {
	pieces := split(word)
	m, used := longestMatch(pieces)
	return m, used > 0 && used == len(pieces) && m.end-m.at == len(word)
}

// NamedIn returns the machines that the words of a text name, in order. Anything but letters and digits separates
// words. The longest match counts, so x86-64 does not contain x86.
func NamedIn(text string) (all []Machine) {
	words := split(text)
	for n := 0; n < len(words); {
		m, used := longestMatch(words[n:])
		if used > 0 {
			all = append(all, m)
		}
		n += max(used, 1)
	}
	return all
}

// ForAny reports whether a word of a package manager or toolchain means "for any machine".
func ForAny(word string) bool {
	switch strings.ToLower(word) {
	case "all", "any", "noarch", "anycpu", "none", "universal", "universal2", "independent":
		return true
	}
	return false
}

// Spellings returns the words for a machine, in lower case and with _ for a dash: only the machine itself if the
// table has no row for it.
func Spellings(arch string) []string {
	words := wordTables().words[arch]
	if words == nil && arch != "" {
		return []string{arch}
	}
	return slices.Clone(words)
}

// Names reports whether a text contains a word for a machine.
func Names(text, arch string) bool {
	return arch != "" && slices.ContainsFunc(NamedIn(text), func(m Machine) bool { return m.Is(arch) })
}

// RenamedFor returns the names that a file would have if it were for another machine, both with dashes and with
// underscores.
func RenamedFor(name, from, to string) (all []string) {
	for _, m := range NamedIn(name) {
		if !m.Is(from) {
			continue
		}
		for _, word := range Spellings(to) {
			all = append(all, name[:m.at]+word+name[m.end:])
			if strings.Contains(word, "_") {
				all = append(all, name[:m.at]+strings.ReplaceAll(word, "_", "-")+name[m.end:])
			}
		}
	}
	return all
}

// Foreign returns the first machine that a text names, if none of its words means arch; "" if there is none. It
// ignores vague words, machines without container images, and 386 in amd64, which runs it.
func Foreign(text, arch string) string {
	named := NamedIn(text)
	if slices.ContainsFunc(named, func(m Machine) bool { return m.Is(arch) }) {
		return ""
	}
	for _, m := range named {
		if !m.Vague && strings.Contains(imagesFor, " "+m.Arch()+" ") && (m.Arch() != "386" || arch != "amd64") {
			return m.Arch()
		}
	}
	return ""
}

// imagesFor are the machines for which container images exist.
const imagesFor = " 386 amd64 arm arm64 loong64 mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sw64 "

// piece is a run of letters and digits in a text.
type piece struct {
	word    string
	at, end int
	joined  bool // to the previous piece, by one _ or -
}

func split(text string) (pieces []piece) {
	for at := 0; at < len(text); {
		end := at
		for end < len(text) && wordByte(text[end]) {
			end++
		}
		if end > at {
			joined := at > 0 && (text[at-1] == '_' || text[at-1] == '-')
			pieces = append(pieces, piece{strings.ToLower(text[at:end]), at, end, joined})
		}
		at = end + 1
	}
	return pieces
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// maxPieces is the number of pieces in the longest word of the table.
const maxPieces = 5

// longestMatch returns the machine of the longest word that the first pieces form, and how many pieces that takes.
func longestMatch(pieces []piece) (m Machine, used int) {
	var words []string
	for n, p := range pieces[:min(len(pieces), maxPieces)] {
		if n > 0 && (!p.joined || p.at != pieces[n-1].end+1) {
			break
		}
		words = append(words, p.word)
		word := strings.Join(words, "_")
		if archs := wordTables().archs[word]; archs != nil {
			m, used = Machine{Archs: archs, at: pieces[0].at, end: p.end}, n+1
			m.Vague = strings.Contains(vagueNames, " "+word+" ")
		}
	}
	return m, used
}
