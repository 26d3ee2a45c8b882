package deep_test

import (
	"fmt"
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/deep"
)

// world is a system with an ABI. The sibling has the same machine, or one of its family, with another ABI.
type world struct {
	platform string
	arch     string // of its programs, in registrytest's spelling
	loader   string
	libs     string // the directory of its libraries
	sibling  string // the arch of the sibling
	foreign  string
	abi      string // the ABI in the verdict
}

// worlds are the rows of the matrix of rare machines and ABIs.
func worlds() []world {
	const sw, loongOld, loongNew = "/lib/ld-linux-sw-64.so.2", "/lib64/ld.so.1", "/lib64/ld-linux-loongarch-lp64d.so.1"
	return []world{
		{"linux/sw64", "sw64", sw, "lib", "sw64-new", "arm64", ""},
		{"linux/sw64", "sw64-new", sw, "lib", "sw64", "amd64", ""},
		{"linux/loong64", "loong64", loongNew, "lib64", "loong64-old", "mips64le", "lp64d"},
		{"linux/loong64", "loong64-old", loongOld, "lib64", "loong64", "amd64", "lp64d"},
		{"linux/mips64le", "mips64le", "/lib64/ld.so.1", "lib64", "mips64p32le", "mipsle", "n64"},
		{"linux/mips64le", "mips64le-r6", "/lib64/ld-linux-mipsn8.so.1", "lib64", "mips64le", "loong64", "n64"},
		{"linux/riscv64", "riscv64", "/lib/ld-linux-riscv64-lp64d.so.1", "lib", "riscv64-lp64", "arm64", "lp64d"},
		{"linux/riscv64", "riscv64-lp64", "/lib/ld-linux-riscv64-lp64.so.1", "lib", "riscv64", "amd64", "lp64"},
		{"linux/arm/v7", "armhf", "/lib/ld-linux-armhf.so.3", "lib", "armel", "arm64", "hard float"},
		{"linux/arm/v5", "armel", "/lib/ld-linux.so.3", "lib", "armhf", "amd64", "soft float"},
		{"linux/ppc64le", "ppc64le", "/lib64/ld64.so.2", "lib64", "ppc64le-elfv1", "ppc64", "elfv2"},
		{"linux/ppc64", "ppc64", "/lib64/ld64.so.1", "lib64", "ppc64le", "s390x", "elfv1"},
		{"linux/s390x", "s390x", "/lib/ld64.so.1", "lib64", "s390", "amd64", ""},
	}
}

// sameMachine reports whether the sibling is only another number for the same machine, so that the two work together.
func (w world) sameMachine() bool { return strings.HasPrefix(w.arch, "sw64") }

// lines returns the files of an honest image: program, shell, loader, libc and a library, with replacements.
func (w world) lines(instead ...string) []string {
	all := []string{
		"elf app " + w.arch + " " + w.loader, "elf bin/sh " + w.arch + " " + w.loader, "elf " + w.loader[1:] + " " + w.arch,
		"so " + w.libs + "/libc.so.6 " + w.arch, "so " + w.libs + "/libx.so.1 " + w.arch,
	}
	path := func(line string) string { return strings.Fields(line)[1] }
	for _, line := range instead {
		for n := range all {
			if path(all[n]) == path(line) {
				all[n] = line
			}
		}
	}
	return all
}

// For every rare machine and ABI there are five lies: the program, the loader, the libc, a library or the shell is for
// another one.
func TestMatrixOfABIs(t *testing.T) {
	t.Parallel()
	for _, w := range worlds() {
		t.Run(w.arch, func(t *testing.T) {
			t.Parallel()
			r := run(t, image(t, w.platform, w.lines()...), deep.Options{})
			v := r.Verdicts[0]
			world := map[string]binary.World{"loong64": binary.NewWorld, "loong64-old": binary.OldWorld}[w.arch]
			if v.State != inspect.BinariesOK || v.ABI != w.abi || v.World != world {
				t.Errorf("honest: %s %q %q\n%s", v.State, v.ABI, v.World, show(r))
			}
			for _, other := range []string{w.sibling, w.foreign} {
				for name, lie := range map[string]string{
					"program": "elf app %s " + w.loader, "loader": "elf " + w.loader[1:] + " %s",
					"libc":    "so " + w.libs + "/libc.so.6 %s",
					"library": "so " + w.libs + "/libx.so.1 %s", "shell": "elf bin/sh %s " + w.loader,
				} {
					want := inspect.Mismatch
					if other == w.sibling && w.sameMachine() {
						want = inspect.BinariesOK
					}
					r := run(t, image(t, w.platform, w.lines(fmt.Sprintf(lie, other))...), deep.Options{})
					if r.Verdicts[0].State != want {
						t.Errorf("the %s is %s: %s, want %s\n%s", name, other, r.Verdicts[0].State, want, show(r))
					}
				}
			}
		})
	}
}

// Programs must fit their loaders. Libraries must fit a loader or, without any, the program that the image starts.
func TestMisfits(t *testing.T) {
	t.Parallel()
	const riscvHard, riscvSoft = "lib/ld-linux-riscv64-lp64d.so.1", "lib/ld-linux-riscv64-lp64.so.1"
	const newLoader, oldLoader = "/lib64/ld-linux-loongarch-lp64d.so.1", "/lib64/ld.so.1"
	one := func(lines ...string) []string { return lines }
	for name, c := range map[string]struct {
		platform string
		lines    []string
		want     string // in the findings; "": no fault
	}{
		"a library without any loader": {
			"linux/loong64", one("elf app loong64", "so lib64/libx.so loong64-old"),
			"it can't be loaded, since the entrypoint /app is built for the new world",
		},
		"its twin": {
			"linux/loong64",
			one("elf app loong64-old", "so lib64/libx.so loong64-old"), "",
		},
		"both worlds with both loaders": {
			"linux/loong64",
			one("elf app loong64 "+newLoader, "elf opt/wps loong64-old "+oldLoader, "elf "+newLoader[1:]+" loong64",
				"elf "+oldLoader[1:]+" loong64-old", "so opt/libwps.so loong64-old"), "",
		},
		"both worlds in one chain": {
			"linux/loong64",
			one("script app /bin/sh", "elf bin/sh loong64-old "+oldLoader, "elf "+oldLoader[1:]+" loong64"),
			"it does not start, since the loader /lib64/ld.so.1 is built for the new world",
		},
		"an unused static program": {"linux/loong64", one("elf app loong64", "elf opt/static loong64-old"), ""},
		"soft float without a loader": {
			"linux/arm/v7", one("elf app armhf", "so usr/lib/libx.so armel"),
			"since the entrypoint /app is built for hard float",
		},
		"hard float without a loader": {
			"linux/arm/v7", one("elf app armel", "so usr/lib/libx.so armhf"),
			"since the entrypoint /app is built for soft float",
		},
		"a program without a float ABI":     {"linux/arm/v7", one("elf app armv7", "so usr/lib/libx.so armhf"), ""},
		"a static program of the other ABI": {"linux/arm/v7", one("elf app armhf", "elf opt/tool armel"), ""},
		"a program of the other ABI with its loader": {
			"linux/arm/v7",
			one("elf app armhf", "elf opt/tool armel /lib/ld-linux.so.3", "elf lib/ld-linux.so.3 armel"), "",
		},
		"a program with the other ABI's loader": {
			"linux/arm/v7",
			one("elf app armhf", "elf opt/tool armel /lib/ld-linux-armhf.so.3", "elf lib/ld-linux-armhf.so.3 armhf"),
			"it does not start, since the loader /lib/ld-linux-armhf.so.3 is built for hard float",
		},
		"a library of the other float ABI": {
			"linux/riscv64",
			one("elf app riscv64", "elf "+riscvHard+" riscv64", "elf "+riscvSoft+" riscv64-lp64",
				"needs opt/tool riscv64 libx.so /opt/lib", "so opt/lib/libx.so riscv64-lp64"),
			"it can't be loaded by /opt/tool, which needs it and is built for lp64d",
		},
		"it, then the right one": {
			"linux/riscv64",
			one("elf app riscv64", "elf "+riscvHard+" riscv64", "elf "+riscvSoft+" riscv64-lp64",
				"needs opt/tool riscv64 libx.so /opt/lib:/opt/more", "so opt/lib/libx.so riscv64-lp64",
				"so opt/more/libx.so riscv64"),
			"",
		},
		"a library for each ABI": {
			"linux/riscv64",
			one("elf app riscv64", "elf "+riscvHard+" riscv64", "elf "+riscvSoft+" riscv64-lp64",
				"needs opt/tool riscv64 libx.so /opt/hard", "needs opt/soft-tool riscv64-lp64 libx.so /opt/soft",
				"so opt/soft/libx.so riscv64-lp64", "so opt/hard/libx.so riscv64"),
			"",
		},
		"a soft program and a hard library": {
			"linux/riscv64",
			one("elf app riscv64", "elf "+riscvHard+" riscv64", "elf "+riscvSoft+" riscv64-lp64",
				"needs opt/soft-tool riscv64-lp64 libx.so /opt/hard", "so opt/hard/libx.so riscv64"),
			"can't be loaded by /opt/soft-tool, which needs it and is built for lp64",
		},
		"release 6 of MIPS": {
			"linux/mips64le", one("elf app mips64le", "so lib/libx.so mips64le-r6"),
			"since the entrypoint /app is built for a release before 6",
		},
		"an arm program in arm64": {
			"linux/arm64", one("script app /bin/sh", "elf bin/sh armhf"),
			"32-bit programs are optional",
		},
		"an arm library in arm64": {
			"linux/arm64", one("elf app arm64", "so usr/lib/libx.so armhf"),
			"/usr/lib/libx.so is an arm library",
		},
		"musl's program without its loader": {
			"linux/amd64", one("elf app amd64 /lib/ld-musl-x86_64.so.1"),
			`not found in the image: no "/lib"; /app is built for musl`,
		},
		"musl's program in glibc's system": {
			"linux/amd64",
			one("elf app amd64 /lib/ld-musl-x86_64.so.1", "elf lib64/ld-linux-x86-64.so.2 amd64"),
			"/app is built for musl, and the image has glibc (/lib64/ld-linux-x86-64.so.2)",
		},
		"glibc's program in musl's system": {
			"linux/amd64",
			one("elf app amd64 /lib64/ld-linux-x86-64.so.2", "elf lib/ld-musl-x86_64.so.1 amd64"),
			"/app is built for glibc, and the image has musl (/lib/ld-musl-x86_64.so.1)",
		},
		"a loader with an unknown name": {
			"linux/amd64", one("elf app amd64 /opt/ld"),
			`the loader "/opt/ld", required by /app`,
		},
		"31 bits in s390x": {
			"linux/s390x",
			one("elf app s390x", "elf lib/ld.so.1 s390", "so lib/libc.so.6 s390", "so lib64/libc.so.6 s390x"), "",
		},
		"31 bits without their loader": {
			"linux/s390x",
			one("elf app s390x", "so lib/libc.so.6 s390", "so lib64/libc.so.6 s390x"),
			"the libc /lib/libc.so.6 is an s390 library",
		},
		"31 bits as the entrypoint": {
			"linux/s390x", one("elf app s390 /lib/ld.so.1", "elf lib/ld.so.1 s390"),
			"the entrypoint /app is an s390 program",
		},
		"x32 in PATH": {
			"linux/amd64",
			one("elf app amd64", "elf usr/bin/x x32 /libx32/ld-linux-x32.so.2", "elf libx32/ld-linux-x32.so.2 x32"),
			"/usr/bin/x is an x32 program",
		},
		"n32 in mips64le": {
			"linux/mips64le",
			one("elf app mips64le", "elf lib32/ld.so.1 mips64p32le", "so lib32/libc.so.6 mips64p32le"), "",
		},
		"a cross compiler for the other float ABI": {
			"linux/arm/v7",
			one("elf app armhf", "elf lib/ld-linux-armhf.so.3 armhf", "elf usr/arm-linux-gnueabi/lib/ld-linux.so.3 armel",
				"so usr/arm-linux-gnueabi/lib/libm.so.6 armel"), "",
		},
		"a cross compiler's library elsewhere": {
			"linux/arm/v7",
			one("elf app armhf", "elf lib/ld-linux-armhf.so.3 armhf", "elf usr/arm-linux-gnueabi/lib/ld-linux.so.3 armel",
				"so opt/libm.so.6 armel"), "it can't be loaded, since the loader /lib/ld-linux-armhf.so.3 is built for hard float",
		},
		"the other float ABI in its own triplet directory": {
			"linux/arm/v7",
			one("elf app armhf", "so usr/lib/arm-linux-gnueabi/libx.so armel"),
			"since the entrypoint /app is built for hard float",
		},
		"v7 in the platform's triplet directory": {
			"linux/arm/v6",
			one("elf app armv6", "so usr/lib/arm-linux-gnueabihf/libssl.so.3 armv7"),
			"needs ARMv7 (layer 1, sha256:cc629465a9b5): illegal instruction on older processors, and linux/arm/v6 promises ARMv6 only",
		},
		"v6 in the platform's triplet directory": {
			"linux/arm/v7",
			one("elf app armv7", "so usr/lib/arm-linux-gnueabihf/libssl.so.3 armv6"), "",
		},
		"a library without an ABI": {"linux/ppc64le", one("elf app ppc64le", "so lib/libx.so ppc64le"), ""},
		"ELFv1 among ELFv2": {
			"linux/ppc64le", one("elf app ppc64le", "so lib/libx.so ppc64le-elfv1"),
			"it can't be loaded, since the entrypoint /app is built for elfv2",
		},
		"an unused program of the other ABI": {
			"linux/riscv64",
			one("elf app riscv64", "elf usr/bin/other riscv64-lp64"), "",
		},
		"soft float among double float": {
			"linux/riscv64",
			one("elf app riscv64", "so usr/lib/libx.so riscv64-lp64"),
			"/usr/lib/libx.so is built for lp64 (layer 1, sha256:10b325c2fd9c): it can't be loaded, since the entrypoint /app is built for lp64d",
		},
	} {
		r := run(t, image(t, c.platform, c.lines...), deep.Options{})
		state := inspect.BinariesOK
		if c.want != "" {
			state = inspect.Mismatch
		}
		if r.Verdicts[0].State != state || !strings.Contains(show(r), c.want) {
			t.Errorf("%s: want %q\n%s", name, c.want, show(r))
		}
	}
}

// The caller may require an ABI. Files that do not state one are unchecked.
func TestRequiredABI(t *testing.T) {
	t.Parallel()
	const newLoader, musl = "/lib64/ld-linux-loongarch-lp64d.so.1", "/lib/ld-musl-x86_64.so.1"
	one := func(lines ...string) []string { return lines }
	abi := func(arch, want string) deep.Options { return deep.Options{ABI: map[string]string{arch: want}} }
	for name, c := range map[string]struct {
		platform string
		lines    []string
		options  deep.Options
		want     inspect.State
		text     string // in the findings
	}{
		"the new world": {
			"linux/loong64", one("elf app loong64"), abi("loong64", "new"), inspect.BinariesOK,
			"1 program, new world read",
		},
		"the old world": {
			"linux/loong64", one("elf app loong64-old"), abi("loong64", "new"), inspect.Mismatch,
			"the entrypoint /app is built for the old world (layer 1, sha256:26e23ee0b83a): the new world is required",
		},
		"the required old world": {"linux/loong64", one("elf app loong64-old"), abi("loong64", "old"), inspect.BinariesOK, ""},
		"of another machine":     {"linux/loong64", one("elf app loong64-old"), abi("arm", "hard"), inspect.BinariesOK, ""},
		"hard float": {
			"linux/arm/v7", one("elf app armel"), abi("arm", "hard"), inspect.Mismatch,
			"is built for soft float (layer 1, sha256:10055a1ed628): hard float is required",
		},
		"not stated": {
			"linux/arm/v7", one("elf app armv7"), abi("arm", "hard"), inspect.Unchecked,
			"nothing in the image shows that it is built for hard float, as required",
		},
		"musl": {
			"linux/amd64", one("elf app amd64 "+musl, "elf "+musl[1:]+" amd64"), abi("amd64", "musl"),
			inspect.BinariesOK, "",
		},
		"no musl": {
			"linux/amd64", one("elf app amd64 "+musl, "elf "+musl[1:]+" amd64"), abi("amd64", "glibc"),
			inspect.Mismatch, "glibc is required",
		},
		"static": {
			"linux/amd64", one("elf app amd64"), abi("amd64", "musl"), inspect.Unchecked,
			"no file states the ABI that it is built for",
		},
		"large pages": {
			"linux/arm64", one("elf app arm64", "so usr/lib/x.so arm64"),
			deep.Options{PageSize: 64 << 10},
			inspect.BinariesOK, "",
		},
		"small pages": {
			"linux/arm64", one("elf app arm64", "so usr/lib/x.so arm64-4k"),
			deep.Options{PageSize: 64 << 10},
			inspect.Mismatch, "it can't be loaded on hosts with pages of 64 KiB",
		},
		"small hosts":      {"linux/arm64", one("elf app arm64-4k"), deep.Options{PageSize: 4 << 10}, inspect.BinariesOK, ""},
		"pages not stated": {"linux/arm64", one("elf app arm64-4k"), deep.Options{}, inspect.BinariesOK, ""},
	} {
		r := run(t, image(t, c.platform, c.lines...), c.options)
		if r.Verdicts[0].State != c.want || !strings.Contains(show(r), c.text) {
			t.Errorf("%s: want %s %q\n%s", name, c.want, c.text, show(r))
		}
	}
	r := run(t, image(t, "linux/loong64", "script app /bin/sh", "elf bin/sh loong64 "+newLoader,
		"elf "+newLoader[1:]+" loong64"), deep.Options{EntrypointOnly: true})
	if v := r.Verdicts[0]; v.State != inspect.Partial || v.World != binary.NewWorld {
		t.Errorf("entrypoint only: %+v\n%s", v, show(r))
	}
}
