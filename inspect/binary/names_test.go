package binary_test

import (
	"slices"
	"strings"
	"testing"

	"mtool/inspect/binary"
	"mtool/inspect/platform"
)

// spelledBy lists names of machines in packages, files and directories of various projects: WORD=ARCH.
var spelledBy = []struct{ who, words string }{
	{"Debian", `amd64=amd64 arm64=arm64 armel=arm armhf=arm arm=arm armeb=armbe i386=386 mips=mips mipsel=mipsle mips64=mips64
		mips64el=mips64le mipsn32=mips64p32 mipsn32el=mips64p32le mipsr6=mips mipsr6el=mipsle mips64r6=mips64 mips64r6el=mips64le
		mipsn32r6=mips64p32 mipsn32r6el=mips64p32le powerpc=ppc powerpcspe=ppc ppc64=ppc64 ppc64el=ppc64le riscv64=riscv64 s390=s390
		s390x=s390x alpha=alpha hppa=hppa ia64=ia64 loong64=loong64 loong32=loong32 m68k=m68k sh3=sh4 sh4=sh4 sh4eb=sh4eb
		sparc=sparc sparc64=sparc64 x32=x32 arc=arc or1k=or1k nios2=nios2 tilegx=tile avr32=avr32 m32r=m32r csky=csky
		arm64ilp32=arm64ilp32 arm64be=arm64be ppcle=ppcle hurd-i386=386 hurd-amd64=amd64 kfreebsd-amd64=amd64
		musl-linux-arm64=arm64 uclibc-linux-armel=arm`},
	{"Debian's directories", `x86_64-linux-gnu=amd64 aarch64-linux-gnu=arm64 arm-linux-gnueabi=arm arm-linux-gnueabihf=arm
		i386-linux-gnu=386 i686-linux-gnu=386 mips-linux-gnu=mips mipsel-linux-gnu=mipsle mips64-linux-gnuabi64=mips64
		mips64el-linux-gnuabi64=mips64le mips64-linux-gnuabin32=mips64p32 mips64el-linux-gnuabin32=mips64p32le
		mipsisa32r6-linux-gnu=mips mipsisa32r6el-linux-gnu=mipsle mipsisa64r6-linux-gnuabi64=mips64
		mipsisa64r6el-linux-gnuabi64=mips64le mipsisa64r6el-linux-gnuabin32=mips64p32le powerpc-linux-gnu=ppc
		powerpc-linux-gnuspe=ppc powerpc64-linux-gnu=ppc64 powerpc64le-linux-gnu=ppc64le riscv64-linux-gnu=riscv64
		s390x-linux-gnu=s390x loongarch64-linux-gnu=loong64 sparc64-linux-gnu=sparc64 x86_64-linux-gnux32=x32
		aarch64-linux-gnu_ilp32=arm64ilp32 alpha-linux-gnu=alpha hppa-linux-gnu=hppa m68k-linux-gnu=m68k sh4-linux-gnu=sh4
		sw_64-linux-gnu=sw64 libx32=x32 arc-linux-gnu=arc or1k-linux-gnu=or1k`},
	{"Fedora and openSUSE", `x86_64=amd64 x86_64_v2=amd64 x86_64_v3=amd64 x86_64_v4=amd64 em64t=amd64 i386=386 i486=386 i586=386 i686=386
		athlon=386 geode=386 pentium3=386 pentium4=386 aarch64=arm64 armv3l=arm armv4l=arm armv4b=armbe armv4tl=arm armv5tl=arm
		armv5tel=arm armv5tejl=arm armv6l=arm armv6hl=arm armv7l=arm armv7hl=arm armv7hnl=arm armv8l=arm armv8hl=arm ppc=ppc
		ppc64=ppc64 ppc64p7=ppc64 ppc64le=ppc64le ppc64iseries=ppc64 ppc64pseries=ppc64 ppciseries=ppc ppcpseries=ppc ppc8260=ppc
		s390=s390 s390x=s390x riscv64=riscv64 riscv32=riscv mips=mips mipsel=mipsle mips64=mips64 mips64el=mips64le mipsr6=mips
		mipsr6el=mipsle mips64r6=mips64 mips64r6el=mips64le ia64=ia64 alpha=alpha alphaev6=alpha sparcv8=sparc
		sparc64=sparc64 sparc64v=sparc64 sparcv9v=sparc64 loongarch64=loong64 loongarch32=loong32 sw_64=sw64 m68k=m68k sh4a=sh4
		sh4=sh4 e2k=e2k e2kv4=e2k`},
	{"Alpine", `x86_64=amd64 x86=386 aarch64=arm64 armhf=arm armv7=arm ppc64le=ppc64le s390x=s390x riscv64=riscv64 loongarch64=loong64
		mips64=mips64 mips64el=mips64le mipsel=mipsle ppc=ppc armv6-alpine-linux-musleabihf=arm armv7-alpine-linux-musleabihf=arm
		x86_64-alpine-linux-musl=amd64 loongarch64-alpine-linux-musl=loong64`},
	{"Arch", `x86_64=amd64 x86_64_v3=amd64 i686=386 i486=386 pentium4=386 aarch64=arm64 arm=arm armv5=arm armv6h=arm armv7h=arm
		riscv64=riscv64 loong64=loong64 loongarch64=loong64 powerpc64le=ppc64le powerpc64=ppc64 powerpc=ppc`},
	{"Nix", `x86_64-linux=amd64 i686-linux=386 aarch64-linux=arm64 aarch64_be-none=arm64be armv5tel-linux=arm armv6l-linux=arm
		armv7a-linux=arm armv7l-linux=arm armv6l-none=arm powerpc64-linux=ppc64 powerpc64le-linux=ppc64le powerpc-none=ppc
		riscv32-linux=riscv riscv64-linux=riscv64 s390-linux=s390 s390x-linux=s390x loongarch64-linux=loong64 m68k-linux=m68k
		microblaze-linux=microblaze microblazeel-linux=microblazeel mips-linux=mips mips64-linux=mips64 mips64el-linux=mips64le
		mipsel-linux=mipsle or1k-none=or1k rx-none=rx avr-none=avr msp430-none=msp430 wasm32-wasi=wasm`},
	{"Go", `386=386 amd64=amd64 amd64p32=amd64 arm=arm arm64=arm64 arm64be=arm64be armbe=armbe loong64=loong64 mips=mips mipsle=mipsle
		mips64=mips64 mips64le=mips64le mips64p32=mips64p32 mips64p32le=mips64p32le ppc=ppc ppc64=ppc64 ppc64le=ppc64le riscv=riscv
		riscv64=riscv64 s390=s390 s390x=s390x sparc=sparc sparc64=sparc64 sw64=sw64 wasm=wasm linux_amd64=amd64 linux_arm64=arm64
		linux_386=386`},
	{"Rust", `x86_64-unknown-linux-gnu=amd64 x86_64-unknown-linux-musl=amd64 x86_64-unknown-linux-gnux32=x32 x86_64h-apple-darwin=amd64
		i586-unknown-linux-gnu=386 i686-unknown-linux-musl=386 x86=386 aarch64-unknown-linux-gnu=arm64 arm64ec-pc-windows-msvc=arm64
		arm64e-apple-darwin=arm64 aarch64_be-unknown-linux-gnu=arm64be aarch64-unknown-linux-gnu_ilp32=arm64ilp32
		arm-unknown-linux-gnueabi=arm arm-unknown-linux-musleabihf=arm armv4t-unknown-linux-gnueabi=arm
		armv5te-unknown-linux-gnueabi=arm armv7-unknown-linux-gnueabihf=arm thumbv7neon-unknown-linux-gnueabihf=arm
		armeb-unknown-linux-gnueabi=armbe csky-unknown-linux-gnuabiv2=csky hexagon-unknown-linux-musl=hexagon
		loongarch64-unknown-linux-gnu=loong64 loongarch32=loong32 m68k-unknown-linux-gnu=m68k mips-unknown-linux-gnu=mips
		mipsel-unknown-linux-musl=mipsle mips64-unknown-linux-gnuabi64=mips64 mips64el-unknown-linux-gnuabi64=mips64le
		mips32r6=mips mips64r6=mips64 mipsisa32r6-unknown-linux-gnu=mips mipsisa32r6el-unknown-linux-gnu=mipsle
		mipsisa64r6-unknown-linux-gnuabi64=mips64 mipsisa64r6el-unknown-linux-gnuabi64=mips64le powerpc-unknown-linux-gnu=ppc
		powerpc64-unknown-linux-gnu=ppc64 powerpc64le-unknown-linux-gnu=ppc64le riscv32gc-unknown-linux-gnu=riscv
		riscv32imac-unknown-none-elf=riscv riscv64gc-unknown-linux-gnu=riscv64 riscv64a23-unknown-linux-gnu=riscv64
		s390x-unknown-linux-gnu=s390x sparc-unknown-linux-gnu=sparc sparc64-unknown-linux-gnu=sparc64 sparcv9-sun-solaris=sparc64
		wasm32-wasip1=wasm wasm64-unknown-unknown=wasm bpfel-unknown-none=bpf avr-none=avr nvptx64-nvidia-cuda=cuda
		amdgcn-amd-amdhsa=amdgpu xtensa-esp32-espidf=xtensa`},
	{"Node", `x64=amd64 ia32=386 x32=x32 arm=arm arm64=arm64 loong64=loong64 mips=mips mipsel=mipsle ppc=ppc riscv64=riscv64
		s390x=s390x linux-x64=amd64 linux-ia32=386 linux-arm64-musl=arm64 linux-armv7l=arm linux-ppc64le=ppc64le
		linuxmusl-x64=amd64 linux-mips64el=mips64le linux_riscv64d=riscv64 linux_armhf=arm linux_loong64=loong64
		linux-arm-gnueabihf=arm android-arm-eabi=arm darwin-arm64=arm64 win32-x64=amd64 freebsd-x64=amd64`},
	{"Python", `manylinux2014_x86_64=amd64 manylinux_2_17_i686=386 manylinux2014_aarch64=arm64 manylinux_2_31_armv7l=arm
		linux_armv6l=arm manylinux2014_ppc64le=ppc64le manylinux2014_ppc64=ppc64 manylinux2014_s390x=s390x
		manylinux_2_39_riscv64=riscv64 manylinux_2_38_loongarch64=loong64 musllinux_1_2_x86_64=amd64 win_amd64=amd64
		win_arm64=arm64 macosx_11_0_arm64=arm64 macosx_10_9_x86_64=amd64 cpython-311-x86_64-linux-gnu=amd64
		cpython-312-arm-linux-gnueabihf=arm cpython-311-powerpc64le-linux-gnu=ppc64le AMD64=amd64 ARM64=arm64`},
	{"Ruby", `x86_64-linux=amd64 x86_64-linux-musl=amd64 x86-linux=386 x86-linux-gnu=386 i386-linux=386 i686-linux=386
		aarch64-linux-gnu=arm64 arm64-darwin=arm64 arm-linux-musl=arm armv7-linux=arm x64-mingw-ucrt=amd64 x64-mingw32=amd64
		x86-mingw32=386 powerpc64le-linux=ppc64le ppc64le-linux=ppc64le s390x-linux=s390x riscv64-linux=riscv64`},
	{"Java", `amd64=amd64 x86_64=amd64 x86-64=amd64 x86_32=386 x86-32=386 x86=386 i386=386 aarch64=arm64 aarch_64=arm64 arm_64=arm64
		arm-64=arm64 arm_32=arm armel-32=arm armhf-32=arm arm=arm armv6=arm armv7=arm ppc_64=ppc64 ppc-64=ppc64
		ppc64=ppc64 ppcbe-64=ppc64 ppcle_64=ppc64le ppcle-64=ppc64le ppc64le=ppc64le ppc_32=ppc ppcle_32=ppcle s390x=s390x
		s390_64=s390x s390-64=s390x s390_32=s390 riscv64=riscv64 loongarch64=loong64 loongarch_64=loong64 mips_32=mips
		mipsel_32=mipsle mips_64=mips64 mipsel_64=mips64le mips64el=mips64le sparc_32=sparc sparc_64=sparc64 sparcv9=sparc64
		sparcv9-Linux=sparc64 itanium_64=ia64 ia64=ia64 ia64n=ia64 e2k=e2k linux64=amd64 linux32=386 Linux-x86-64=amd64
		sunos-sparcv9=sparc64 pa-risc=hppa parisc-64=hppa64`},
	{".NET", `linux-x64=amd64 linux-x86=386 linux-arm=arm linux-armel=arm linux-armv6=arm linux-arm64=arm64 linux-musl-x64=amd64
		linux-musl-arm64=arm64 linux-bionic-arm64=arm64 linux-s390x=s390x linux-ppc64le=ppc64le linux-loongarch64=loong64
		linux-riscv64=riscv64 win-x64=amd64 win-x86=386 win-arm64=arm64 osx-arm64=arm64 browser-wasm=wasm`},
	{"CMake", `x86_64=amd64 AMD64=amd64 EM64T=amd64 aarch64=arm64 ARM64=arm64 armv7-a=arm armv8-a=arm64 armv7l=arm i686=386
		IA64=ia64 ppc64le=ppc64le s390x=s390x riscv64=riscv64 loongarch64=loong64 sw_64=sw64 mips64=mips64 linux-x86_64=amd64`},
	{"Bazel", `x86_32=386 x86_64=amd64 i386=386 aarch32=arm aarch64=arm64 aarch64_be=arm64be arm=arm arm64=arm64 arm64_32=arm64ilp32
		arm64e=arm64 armv6-m=arm armv7=arm armv7-m=arm armv7e-m=arm armv7e-mf=arm armv7k=arm armv8-m=arm mips64=mips64
		ppc=ppc ppc32=ppc ppc64le=ppc64le riscv32=riscv riscv64=riscv64 s390x=s390x wasm32=wasm wasm64=wasm k8=amd64 piii=386
		armeabi-v7a=arm nodejs_linux_amd64=amd64 darwin_arm64=arm64`},
	{
		"Electron",
		`x64=amd64 ia32=386 arm64=arm64 armv7l=arm mips64el=mips64le linux-arm64-unpacked=arm64 linux-ia32-unpacked=386`,
	},
	{"Conda", `linux-64=amd64 linux-32=386 linux-aarch64=arm64 linux-armv6l=arm linux-armv7l=arm linux-ppc64le=ppc64le
		linux-ppc64=ppc64 linux-riscv64=riscv64 linux-s390x=s390x osx-64=amd64 osx-arm64=arm64 win-64=amd64`},
	{"Docker Hub", `amd64=amd64 arm32v5=arm arm32v6=arm arm32v7=arm arm64v8=arm64 i386=386 mips64le=mips64le ppc64le=ppc64le
		riscv64=riscv64 s390x=s390x loong64=loong64`},
	{"QEMU", `x86_64=amd64 i386=386 aarch64=arm64 aarch64_be=arm64be arm=arm armeb=armbe loongarch64=loong64 sw64=sw64 mips=mips
		mipsel=mipsle mips64=mips64 mips64el=mips64le mipsn32=mips64p32 mipsn32el=mips64p32le ppc=ppc ppc64=ppc64
		ppc64le=ppc64le riscv32=riscv riscv64=riscv64 s390x=s390x sparc=sparc sparc32plus=sparc sparc64=sparc64 alpha=alpha
		hppa=hppa m68k=m68k sh4=sh4 sh4eb=sh4eb or1k=or1k microblaze=microblaze microblazeel=microblazeel xtensa=xtensa
		xtensaeb=xtensa hexagon=hexagon avr=avr rx=rx`},
	{"Android, Yocto, NVIDIA, Metasploit", `armeabi=arm arm64-v8a=arm64 cortexa72-poky-linux=arm64 armv8a-poky-linux=arm64
		cortexa7t2hf-neon-vfpv4-poky-linux-gnueabi=arm core2-64-poky-linux=amd64 corei7-64-poky-linux=amd64 sbsa-linux=arm64
		linux-desktop-t210-a64=arm64 armle_linux=arm mipsbe_linux=mips`},
	{"Sunway", `sw64=sw64 sw_64=sw64 SW64=sw64 shenwei=sw64 sunway=sw64 sw_64sw6b-sunway-linux-gnu=sw64`},
}

// Every word means the same machine as in the projects that use it, and is one of that machine's spellings.
func TestNamed(t *testing.T) {
	t.Parallel()
	for _, by := range spelledBy {
		for pair := range strings.FieldsSeq(by.words) {
			word, want, _ := strings.Cut(pair, "=")
			named := binary.NamedIn(word)
			if len(named) == 0 || named[0].Arch() != want {
				t.Errorf("%s: %s: got %v, want %s", by.who, word, named, want)
				continue
			}
			if !binary.Names("lib/"+strings.ToUpper(word)+".d/x", want) {
				t.Errorf("%s: %s in a path does not name %s", by.who, word, want)
			}
			if m, ok := binary.Named(word); ok && m.Arch() != want {
				t.Errorf("%s: %s as a word: %v", by.who, word, m)
			}
		}
	}
}

// Some words mean several machines; the most common meaning comes first.
func TestNamedSeveral(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		word, archs string
		vague       bool
	}{
		{"ppc64", "ppc64 ppc64le", false}, // Node's is little-endian
		{"mips", "mips mipsle", true},
		{"mips64", "mips64 mips64le", false},
		{"sparcv9", "sparc64 sparc", false},
		{"riscv", "riscv riscv64", true},
		{"x32", "x32 386", true},
		{"x86", "386", true},
		{"arm", "arm", true},
		{"armhf", "arm", false},
		{"alpha", "alpha", true},
		{"gnuabi64", "mips64 mips64le", false},
	} {
		m, ok := binary.Named(c.word)
		if !ok || strings.Join(m.Archs, " ") != c.archs || m.Vague != c.vague {
			t.Errorf("%s: got %v, %v", c.word, m, ok)
		}
	}
	for _, word := range []string{
		"", "linux", "img", "any", "x86_64-linux-gnu", "x64-", "-x64", "charm64", "box64",
		"win32", "nbd",
	} {
		if m, ok := binary.Named(word); ok {
			t.Errorf("%q names %v", word, m)
		}
	}
}

// The table agrees with the aliases of platforms, and each machine's own name is one of its words.
func TestSpellings(t *testing.T) {
	t.Parallel()
	if got := binary.Spellings("quantum"); !slices.Equal(got, []string{"quantum"}) || binary.Spellings("") != nil {
		t.Errorf("a machine that is not in the table: %q", got)
	}
	for _, by := range spelledBy {
		for pair := range strings.FieldsSeq(by.words) {
			_, arch, _ := strings.Cut(pair, "=")
			if m, ok := binary.Named(arch); !ok || m.Arch() != arch || binary.Spellings(arch)[0] != arch {
				t.Errorf("%s does not name itself: %v, %q", arch, m, binary.Spellings(arch))
			}
			for _, word := range binary.Spellings(arch) {
				if m, ok := binary.Named(word); !ok || !m.Is(arch) {
					t.Errorf("%s is a spelling of %s and names %v", word, arch, m)
				}
				if p, err := platform.ParseArch(word); err == nil && !binary.Names(word, p.Architecture) {
					t.Errorf("%s is the platform %s, but not a word of that machine", word, p.Architecture)
				}
			}
		}
	}
}

func TestForAny(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"all", "any", "noarch", "AnyCPU", "universal2"} {
		if !binary.ForAny(word) {
			t.Errorf("%s is for one machine", word)
		}
	}
	for _, word := range []string{"", "amd64", "alley", "x86_64"} {
		if binary.ForAny(word) {
			t.Errorf("%s is for any machine", word)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, arch string
		want       bool
	}{
		{"linux-x64", "amd64", true},
		{"x86_64-linux-gnu", "amd64", true},
		{"LINUX-X64", "amd64", true},
		{"x86_64-linux-gnu", "386", false},
		{"linux-x86-64", "386", false},
		{"linux-x86", "386", true},
		{"linux-x64", "arm64", false},
		{"linux-arm-64", "arm", false},
		{"arm64", "arm", false},
		{"alarm", "arm", false},
		{"charm64", "arm64", false},
		{"matrix64", "amd64", false},
		{"any", "", false},
		{"x86x86_64", "amd64", false},
		{"x86_64x-x64", "amd64", true},
		{"linux-ppc64", "ppc64le", true},
		{"linux-ppc64le", "ppc64", false},
		{"x86--64", "386", true},
		{"libfoo.x86/64", "386", true},
		{"\xffx64\xff", "amd64", true},
	} {
		if got := binary.Names(c.text, c.arch); got != c.want {
			t.Errorf("%q names %s: got %v", c.text, c.arch, got)
		}
	}
}

func TestRenamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to, want string }{
		{"lib-x86_64.so", "amd64", "arm64", "lib-aarch64.so"},
		{"lib-X86_64.so", "amd64", "arm64", "lib-aarch_64.so"},
		{"x-arm-64.so", "arm64", "amd64", "x-x86-64.so"},
		{"\u0130-x64.so", "amd64", "arm64", "\u0130-arm64.so"}, // its lower case has more bytes
	} {
		if got := binary.RenamedFor(c.name, c.from, c.to); !slices.Contains(got, c.want) || slices.Contains(got, c.name) {
			t.Errorf("%s: %q is not among %q", c.name, c.want, got)
		}
	}
	if got := binary.RenamedFor("lib.so", "amd64", "arm64"); got != nil {
		t.Errorf("got %q for a name without a machine", got)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, arch, want string }{
		{"alpine-minirootfs-x86_64.tar.gz", "arm64", "amd64"},
		{"alpine-minirootfs-x86_64.tar.gz", "amd64", ""},
		{"alpine-minirootfs-aarch64.tar.gz", "arm", "arm64"},
		{"arm64v8/alpine", "amd64", "arm64"},
		{"arm32v7/alpine", "arm64", "arm"},
		{"case x86_64) a;; aarch64) b;; esac", "arm64", ""},
		{"case x86_64) a;; aarch64) b;; esac", "s390x", "amd64"},
		{"i386/debian", "amd64", ""},
		{"i386/debian", "arm64", "386"},
		{"app-sw_64.tar", "amd64", "sw64"},
		// Words for several machines or for other things, words that are parts of others, and machines without images.
		{"arm", "arm64", ""},
		{"tools-x86", "amd64", ""},
		{"charm64 box64 alarm", "s390x", ""},
		{"v1.0-alpha wasm bpf linux64", "s390x", ""},
		{"", "amd64", ""},
	} {
		if got := binary.Foreign(c.text, c.arch); got != c.want {
			t.Errorf("%q for %s: %q, want %q", c.text, c.arch, got, c.want)
		}
	}
}
