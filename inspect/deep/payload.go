package deep

import (
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/rootfs"
)

// payloadRules are about code that no process of the image starts or loads.
func payloadRules() []Rule {
	return []Rule{
		{
			Name: "device", State: inspect.Note, covers: (*suspect).forDevice,
			Covers: "code for machines that no image is for (AVR, Xtensa, VideoCore, SPARC, 32-bit RISC-V …)",
			Reason: "such code runs on a device, in an emulator or on another system",
		},
		{
			Name: "firmware", State: inspect.Note, covers: (*suspect).isFirmware,
			Covers: "files below directories named firmware, qemu, u-boot, opensbi, seabios, syslinux and the like, Syslinux modules (.c32, .e64), and boot loaders",
			Reason: "a machine runs it before any system starts, or an emulator does",
		},
		{
			Name: ".NET", State: inspect.Note, Quiet: true,
			covers: func(s *suspect) bool { return s.fact.Managed && s.fact.OS == "" },
			Covers: ".NET code without native code, even if its header says 32 bits",
			Reason: "Mono runs it on any machine, and only .NET for Windows checks those bits",
		},
		{
			Name: "sysroot", State: inspect.Note, covers: (*suspect).inSysroot,
			Covers: "files below a directory that is named like a compiler target (usr/aarch64-linux-gnu/, x86_64-w64-mingw32/), or that has the loader and libc of their machine",
			Reason: "a cross compiler links with it, or an emulator runs it",
		},
		{
			Name: "testdata", State: inspect.Note, covers: (*suspect).isTestInput,
			Covers: "files below testdata/, test-fixtures/ and the like, and those below test/, tests/ and spec/ whose name contains their own machine",
			Reason: "they are test inputs, which nothing starts",
		},
	}
}

func (s *suspect) forDevice() bool {
	known := s.fact.Kind.ELF() && s.fact.Machine != 0
	return s.foreign() && known && !binary.ForImages(s.fact.Arch) && !s.sibling()
}

// firmwareWords are the names of directories with code that machines boot from.
const firmwareWords = ` firmware qemu u-boot opensbi seabios openbios openhackware slof ipxe syslinux isolinux pxelinux grub raspi-firmware
	arm-trusted-firmware memtest86+ efi coreboot `

func (s *suspect) isFirmware() bool { return s.foreign() && isFirmware(s.path, s.fact) }

func isFirmware(path string, f binary.Fact) bool {
	parts := strings.Split(path, "/")
	name := parts[len(parts)-1]
	if slices.Contains([]string{"c32", "e32", "e64"}, name[strings.LastIndexByte(name, '.')+1:]) {
		return f.Interp == ""
	}
	return slices.ContainsFunc(parts[:len(parts)-1], func(dir string) bool {
		return slices.Contains(strings.Fields(firmwareWords), dir)
	})
}

// inSysroot reports whether a directory of the path is named like a compiler target, or has its own loader and libc.
// npm packages have directories of such names for their parts.
func (s *suspect) inSysroot() bool {
	if k := s.packages().enclosing(s.path); !s.forOther() || k != nil && k.manager == "npm" {
		return false
	}
	at := ""
	for _, dir := range s.dirs() {
		if at = strings.TrimPrefix(at+"/"+dir, "/"); isTarget(dir) && s.isNamedIn(dir) {
			return true
		}
		if slices.Contains(s.userlands(), userland{at, s.fact.Arch}) {
			return true
		}
	}
	return false
}

// isTarget reports whether a name is a compiler target: CPU-VENDOR-OS or CPU-OS-ABI.
func isTarget(name string) bool {
	words := strings.Split(name, "-")
	if _, cpu := binary.Named(words[0]); !cpu || len(words) < 3 || len(words) > 4 {
		return false
	}
	for _, system := range []string{"linux", "mingw32", "solaris", "elf", "eabi", "darwin", "freebsd", "windows"} {
		for _, word := range words[1:] {
			if strings.HasPrefix(word, system) {
				return true
			}
		}
	}
	return false
}

// userland is a directory with the loader and the libc of a machine.
type userland struct{ dir, arch string }

// userlands returns the directories that are the root of a system for another machine.
func (j *judgement) userlands() []userland {
	if j.userlandDirs != nil {
		return j.userlandDirs
	}
	j.userlandDirs = []userland{{}}
	for e := range j.tree.All() {
		if e.Type != rootfs.Program || e.File.Fact == nil || !strings.HasPrefix(base(e.Path), "ld") {
			continue
		}
		arch := e.File.Fact.Arch
		for _, loader := range loaders(arch) {
			dir, ok := strings.CutSuffix(e.Path, "/"+loader)
			dir = strings.TrimSuffix(dir, "/usr")
			if ok && dir != "" && dir != "usr" && arch != j.platform.Architecture &&
				(strings.Contains(loader, "musl") || j.hasLibc(dir, arch)) {
				j.userlandDirs = append(j.userlandDirs, userland{dir, arch})
			}
		}
	}
	return j.userlandDirs
}

func (j *judgement) hasLibc(dir, arch string) bool {
	for _, lib := range libraryDirs(arch) {
		found, err := j.tree.Lookup(dir + "/" + lib + "/libc.so.6")
		if err == nil && found.Type == rootfs.Program && found.File.Fact.Arch == arch {
			return true
		}
	}
	return false
}

func (s *suspect) isTestInput() bool {
	if !s.forOther() {
		return false
	}
	for _, dir := range s.dirs() {
		switch dir {
		case "testdata", "test-fixtures", "test_fixtures", "test-data", "__fixtures__":
			return true
		case "test", "tests", "spec", "fixtures":
			if s.isNamedIn(s.name()) {
				return true
			}
		}
	}
	return false
}
