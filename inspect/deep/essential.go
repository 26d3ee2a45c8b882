package deep

import (
	"errors"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// Roles say why a file matters, in addition to those of package rootfs.
const (
	roleLibc   = "libc"
	roleShell  = "shell"
	roleShared = "shared object"
	roleLinked = "linked program"
	roleObject = "object"
	roleOther  = "other"
)

// rank orders roles by how much they matter.
func rank(role string) int {
	order := []string{
		string(rootfs.Entrypoint), string(rootfs.Init), string(rootfs.Interpreter), string(rootfs.Loader),
		roleLibc, roleShell, roleLinked, roleShared, roleObject, roleOther,
	}
	if i := slices.Index(order, role); i >= 0 {
		return i
	}
	return len(order)
}

// essentials are the files that no exemption covers, by path: what the image starts, and its own loader, libc and
// shell.
type essentials map[string]essential

// essential says why a file is essential.
type essential struct {
	role string
	by   string // what requires it; "" if it lies where programs of the platform look for it
}

// add keeps the most important role of a file.
func (o essentials) add(path, role, by string) {
	if old, ok := o[path]; !ok || rank(role) < rank(old.role) || old.by == "" {
		o[path] = essential{role, by}
	}
}

// usualFiles finds the loader, the libc and the shell where programs of the platform look for them.
func usualFiles(t *rootfs.Tree, p v1.Platform) essentials {
	files := essentials{}
	if p.OS != "linux" {
		return files
	}
	for _, path := range []string{"bin/sh", "usr/bin/sh", "bin/bash", "bin/busybox"} {
		files.lookUp(t, path, roleShell)
	}
	for _, path := range loaders(p.Architecture) {
		files.lookUp(t, path, string(rootfs.Loader))
	}
	for _, dir := range libraryDirs(p.Architecture) {
		files.lookUp(t, dir+"/libc.so.6", roleLibc)
		files.lookUp(t, dir+"/libc.so", roleLibc)
	}
	return files
}

func (o essentials) lookUp(t *rootfs.Tree, path, role string) {
	found, err := t.Lookup(path)
	if err == nil && found.Type == rootfs.Program {
		o.add(found.Path, role, "")
	}
}

// addStarted adds what the image starts.
func (o essentials) addStarted(steps []rootfs.Step) {
	for _, s := range steps {
		if s.Found.Type == rootfs.Program && (s.Err == nil || !errors.Is(s.Err, rootfs.ErrMissing)) {
			o.add(s.Found.Path, string(s.Role), requester(s.By))
		}
	}
}

// loaders returns the paths of glibc's and musl's loaders, which compilers for Linux write into programs (PT_INTERP).
// https://sourceware.org/glibc/wiki/ABIList, https://wiki.musl-libc.org/guidelines-for-distributions
func loaders(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"lib64/ld-linux-x86-64.so.2", "lib/ld-musl-x86_64.so.1"}
	case "386":
		return []string{"lib/ld-linux.so.2", "lib/ld-musl-i386.so.1"}
	case "arm64":
		return []string{"lib/ld-linux-aarch64.so.1", "lib/ld-musl-aarch64.so.1"}
	case "arm":
		return []string{"lib/ld-linux-armhf.so.3", "lib/ld-linux.so.3", "lib/ld-musl-armhf.so.1", "lib/ld-musl-arm.so.1"}
	case "s390x":
		return []string{"lib/ld64.so.1", "lib/ld-musl-s390x.so.1"}
	case "ppc64le":
		return []string{"lib64/ld64.so.2", "lib/ld-musl-powerpc64le.so.1"}
	case "ppc64":
		return []string{"lib64/ld64.so.1", "lib64/ld64.so.2", "lib/ld-musl-powerpc64.so.1"}
	case "riscv64":
		return []string{
			"lib/ld-linux-riscv64-lp64d.so.1", "lib/ld-musl-riscv64.so.1", "lib/ld-linux-riscv64-lp64.so.1",
			"lib/ld-musl-riscv64-sf.so.1",
		}
	case "loong64": // the second is the old world's
		return []string{"lib64/ld-linux-loongarch-lp64d.so.1", "lib64/ld.so.1", "lib/ld-musl-loongarch64.so.1"}
	case "sw64": // the second is from the first distributions, and a link to the first since then
		return []string{"lib/ld-linux-sw-64.so.2", "lib/ld-linux.so.2"}
	}
	return otherLoaders(arch)
}

// otherLoaders continues with MIPS, and with the machines whose programs come with compilers for a sibling.
func otherLoaders(arch string) []string {
	switch arch {
	case "mips64", "mips64le":
		return []string{"lib64/ld.so.1", "lib64/ld-linux-mipsn8.so.1", "lib/ld-musl-mips64.so.1", "lib/ld-musl-mips64el.so.1"}
	case "mips64p32", "mips64p32le":
		return []string{
			"lib32/ld.so.1", "lib32/ld-linux-mipsn8.so.1", "lib/ld-musl-mipsn32.so.1",
			"lib/ld-musl-mipsn32el.so.1",
		}
	case "mips", "mipsle":
		return []string{"lib/ld.so.1", "lib/ld-linux-mipsn8.so.1", "lib/ld-musl-mips.so.1", "lib/ld-musl-mipsel.so.1"}
	case "x32":
		return []string{"libx32/ld-linux-x32.so.2", "lib/ld-musl-x32.so.1"}
	case "s390", "ppc":
		return []string{"lib/ld.so.1"}
	}
	return nil
}

// libraryDirs returns the directories in which a libc lies: Debian's directory of the architecture, and those of the
// other distributions.
func libraryDirs(arch string) []string {
	dirs := []string{"lib", "usr/lib"}
	switch arch {
	case "amd64", "arm64", "s390x", "ppc64", "ppc64le", "riscv64", "loong64", "mips64", "mips64le", "sw64":
		dirs = []string{"lib64", "usr/lib64", "lib", "usr/lib"}
	}
	for _, triplet := range triplets(arch) {
		dirs = append(dirs, "lib/"+triplet, "usr/lib/"+triplet)
	}
	return dirs
}

// triplets returns Debian's names of an architecture's directories. https://wiki.debian.org/Multiarch/Tuples
func triplets(arch string) []string {
	switch arch {
	case "amd64":
		return []string{"x86_64-linux-gnu"}
	case "386":
		return []string{"i386-linux-gnu"}
	case "arm64":
		return []string{"aarch64-linux-gnu"}
	case "arm":
		return []string{"arm-linux-gnueabihf", "arm-linux-gnueabi"}
	case "ppc64le":
		return []string{"powerpc64le-linux-gnu"}
	case "loong64":
		return []string{"loongarch64-linux-gnu"}
	case "mips64le":
		return []string{"mips64el-linux-gnuabi64"}
	case "mipsle":
		return []string{"mipsel-linux-gnu"}
	case "sw64":
		return []string{"sw_64-linux-gnu"}
	case "s390x", "riscv64", "ppc64", "mips", "mips64":
		return []string{arch + "-linux-gnu"}
	}
	return nil
}
