package deep

import (
	"errors"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/rootfs"
)

// Roles are why a file matters, besides those of package rootfs.
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
		roleLibc, roleShell,
		roleLinked, roleShared, roleObject, roleOther,
	}
	if i := slices.Index(order, role); i >= 0 {
		return i
	}
	return len(order)
}

// own are the files that no exemption covers: what the image starts, and its own loader, libc and shell.
type own map[string]owned

// owned is why a file is one of them.
type owned struct {
	role string
	by   string // what asks for it; "" where programs of the platform look for it
}

// add keeps the role that matters most.
func (o own) add(path, role, by string) {
	if have, ok := o[path]; !ok || rank(role) < rank(have.role) || have.by == "" {
		o[path] = owned{role, by}
	}
}

// ownFiles finds the loader, the libc and the shell where programs of the platform look for them.
func ownFiles(t *rootfs.Tree, p v1.Platform) own {
	o := own{}
	if p.OS != "linux" {
		return o
	}
	for _, path := range []string{"bin/sh", "usr/bin/sh", "bin/bash", "bin/busybox"} {
		o.look(t, path, roleShell)
	}
	for _, path := range loaders(p.Architecture) {
		o.look(t, path, string(rootfs.Loader))
	}
	for _, dir := range libraryDirs(p.Architecture) {
		o.look(t, dir+"/libc.so.6", roleLibc)
		o.look(t, dir+"/libc.so", roleLibc)
	}
	return o
}

func (o own) look(t *rootfs.Tree, path, role string) {
	found, err := t.Lookup(path)
	if err == nil && found.Type == rootfs.Program {
		o.add(found.Path, role, "")
	}
}

// chain adds what the image starts.
func (o own) chain(steps []rootfs.Step) {
	for _, s := range steps {
		if s.Found.Type == rootfs.Program && (s.Err == nil || !errors.Is(s.Err, rootfs.ErrMissing)) {
			o.add(s.Found.Path, string(s.Role), by(s.By))
		}
	}
}

// loaders are the paths that compilers for Linux write into programs (PT_INTERP), of glibc and of musl.
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
	case "loong64": // the second is that of the old world
		return []string{"lib64/ld-linux-loongarch-lp64d.so.1", "lib64/ld.so.1", "lib/ld-musl-loongarch64.so.1"}
	case "sw64": // the second is that of its first distributions, and a link to the first since
		return []string{"lib/ld-linux-sw-64.so.2", "lib/ld-linux.so.2"}
	}
	return otherLoaders(arch)
}

// otherLoaders goes on with MIPS, and with the machines whose programs come with compilers for another one.
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

// libraryDirs are where a libc lies: Debian's directory of the architecture, and those of everybody else.
func libraryDirs(arch string) []string {
	dirs := []string{"lib", "usr/lib"}
	if slices.Contains([]string{
		"amd64", "arm64", "s390x", "ppc64", "ppc64le", "riscv64", "loong64", "mips64", "mips64le",
		"sw64",
	}, arch) {
		dirs = []string{"lib64", "usr/lib64", "lib", "usr/lib"}
	}
	for _, triplet := range triplets(arch) {
		dirs = append(dirs, "lib/"+triplet, "usr/lib/"+triplet)
	}
	return dirs
}

// triplets are Debian's names of directories. https://wiki.debian.org/Multiarch/Tuples
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
