package testparts

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Part is something outside this module that a test needs.
type Part string

// The parts. Each is also a condition of the integration scripts.
const (
	Actionlint   Part = "actionlint"
	Buildah      Part = "buildah"
	Buildkit     Part = "buildkit"
	Buildx       Part = "buildx"
	Chromium     Part = "chromium"
	Conformance  Part = "conformance" // the distribution specification's own tests
	Cosign       Part = "cosign"      // only its signing
	Cosign3      Part = "cosign3"     // all of it
	Crane        Part = "crane"
	Debian       Part = "debian"      // a root file system for arm64: see DebianDir
	Debootstrap  Part = "debootstrap" // a complete one, after debootstrap's first stage
	Docker       Part = "docker"
	Frontend     Part = "frontend" // the program of docker/dockerfile images
	Netns        Part = "netns"
	Docker28     Part = "docker28" // an engine that keeps images in containerd
	Docker29     Part = "docker29" // the same
	ExFAT        Part = "exfat"    // a file system that folds case
	Ko           Part = "ko"
	Oras         Part = "oras"
	Podman       Part = "podman"
	QEMU         Part = "qemu"
	Regctl       Part = "regctl"
	Registry     Part = "registry"
	Skopeo       Part = "skopeo"
	Shells       Part = "shells" // bash, fish and zsh, with their completions
	Slow         Part = "slow"   // only time
	SSH          Part = "ssh"
	Strace       Part = "strace"
	Unprivileged Part = "unprivileged"
)

// Parts lists all parts, sorted.
func Parts() []Part { return slices.Sorted(maps.Keys(needs())) }

// need is what a part requires: each of programs under one of its names, and privileges.
type need struct {
	programs [][]string
	root     bool
	subids   bool   // root, or ids in /etc/subuid
	file     string // a file in .deps
	paths    []string
}

func needs() map[Part]need {
	one := func(names ...string) need {
		n := need{}
		for _, name := range names {
			n.programs = append(n.programs, []string{name})
		}
		return n
	}
	asRoot := func(n need) need { n.root = true; return n }
	exfat := asRoot(one("mkfs.exfat", "mount.exfat-fuse", "losetup", "unshare"))
	exfat.paths = []string{"/dev/fuse", "/dev/loop-control"}
	shells := one("bash", "fish", "zsh")
	shells.paths = []string{"/usr/share/bash-completion/bash_completion"}
	return map[Part]need{
		Actionlint:  one("actionlint"),
		Buildah:     asRoot(one("buildah", "runc")),
		Buildkit:    asRoot(one("buildkitd", "buildctl", "runc")),
		Buildx:      one("buildx"),
		Chromium:    {programs: [][]string{browsers()}},
		Conformance: one("conformance"),
		Cosign:      one("cosign-sign"),
		Cosign3:     one("cosign"),
		Crane:       one("crane"),
		Debian:      {file: "debian/arm64-dpkg.tar"},
		Debootstrap: {file: "debian/arm64-debootstrap.tar"},
		Docker:      asRoot(one("dockerd", "containerd", "docker")),
		Frontend:    one("dockerfile-frontend"),
		Netns:       asRoot(one("ip", "nsenter", "unshare")),
		Docker28:    asRoot(one("dockerd28", "containerd", "docker")),
		Docker29:    asRoot(one("dockerd29", "containerd", "docker")),
		ExFAT:       exfat,
		Ko:          one("ko"),
		Oras:        one("oras"),
		Podman:      one("podman"),
		QEMU: {programs: [][]string{
			{"qemu-aarch64-static", "qemu-aarch64"},
			{"qemu-arm-static", "qemu-arm"},
			{"qemu-x86_64-static", "qemu-x86_64"},
			{"qemu-i386-static", "qemu-i386"},
			{"qemu-ppc64le-static", "qemu-ppc64le"},
			{"qemu-riscv64-static", "qemu-riscv64"},
			{"qemu-s390x-static", "qemu-s390x"},
		}},
		Regctl:       one("regctl"),
		Registry:     one("registry"),
		Skopeo:       one("skopeo"),
		Shells:       shells,
		Slow:         {},
		SSH:          asRoot(one("sshd", "ssh", "ssh-keygen", "unshare")),
		Strace:       one("strace"),
		Unprivileged: {programs: [][]string{{"newuidmap"}, {"newgidmap"}}, subids: true},
	}
}

// Need skips the test if a part is missing, or fails it if MTOOL_TEST_REQUIRE (a comma-separated list) names that part.
// If MTOOL_TEST_ONLY is set, parts that MTOOL_TEST_REQUIRE does not name count as missing.
func Need(t testing.TB, parts ...Part) {
	t.Helper()
	for _, p := range parts {
		switch there, err := Available(p); {
		case err != nil:
			t.Fatal(err)
		case !there:
			t.Skipf("without %s: %v", p, cmp.Or(missing(p, thisMachine()), errLeftOut))
		}
	}
}

// Available reports whether a part is there, for a condition of a script. It is an error if the part is unknown, or is
// missing and MTOOL_TEST_REQUIRE names it.
func Available(p Part) (bool, error) {
	err := missing(p, thisMachine())
	return available(p, err, os.Getenv("MTOOL_TEST_REQUIRE"), os.Getenv("MTOOL_TEST_ONLY") != "")
}

func available(p Part, missing error, required string, only bool) (bool, error) {
	named := slices.Contains(strings.Split(required, ","), string(p))
	switch {
	case missing != nil && named, errors.Is(missing, errUnknownPart):
		return false, fmt.Errorf("real part required: %w", missing)
	case only && !named:
		return false, nil
	}
	return missing == nil, nil
}

var errLeftOut = errors.New("MTOOL_TEST_ONLY leaves it out")

var errUnknownPart = errors.New("no such part")

// machine is where parts are looked for.
type machine struct {
	root   bool
	subids bool
	look   func(program string) (string, error)
	has    func(file string) bool // in .deps
	exists func(path string) bool
}

func thisMachine() machine {
	m := machine{root: os.Geteuid() == 0, look: look, has: func(file string) bool { _, ok := depsFile(file); return ok }}
	m.exists = func(path string) bool { _, err := os.Stat(path); return err == nil }
	table, err := os.ReadFile("/etc/subuid")
	me, meErr := user.Current()
	if m.subids = m.root; !m.root && err == nil && meErr == nil {
		_, m.subids = freeRange(table, me.Username, me.Uid)
	}
	return m
}

// missing returns what p lacks on m, or nil.
func missing(p Part, m machine) error {
	n, ok := needs()[p]
	if !ok {
		return fmt.Errorf("%w: %q (there are %v)", errUnknownPart, p, Parts())
	}
	if n.root && !m.root {
		return fmt.Errorf("%s runs as root only", p)
	}
	if n.subids && !m.subids {
		return fmt.Errorf("%s takes subordinate ids: /etc/subuid has none for this user", p)
	}
	if n.file != "" && !m.has(n.file) {
		return fmt.Errorf("%s takes .deps/%s: `make tools` sets it up", p, n.file)
	}
	for _, path := range n.paths {
		if !m.exists(path) {
			return fmt.Errorf("%s takes %s", p, path)
		}
	}
	for _, names := range n.programs {
		if !slices.ContainsFunc(names, func(name string) bool { _, err := m.look(name); return err == nil }) {
			return fmt.Errorf("%s takes the program %s: `make tools` sets it up", p, strings.Join(names, " or "))
		}
	}
	return nil
}

// Program returns the path of a program: in .deps of this module, else in PATH, else in /usr/sbin or /sbin.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := look(name)
	if err != nil {
		t.Fatalf("looking for %q: %v", name, err)
	}
	return path
}

// browsers returns Chromium's possible names.
func browsers() []string { return []string{"chromium", "google-chrome"} }

// Browser returns the path of Chromium.
func Browser() (path string, err error) {
	for _, name := range browsers() {
		if path, err = look(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("looking for Chromium: %w", err)
}

func look(name string) (string, error) {
	for _, dir := range slices.Concat(depsDirs(), filepath.SplitList(os.Getenv("PATH")), []string{"/usr/sbin", "/sbin"}) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// DebianDir returns the directory that testdata/rootfs.sh makes: root file systems in which no program has run yet,
// arm64-dpkg.tar and, for Debootstrap, arm64-debootstrap.tar, and in arm64-more packages to install.
func DebianDir(t testing.TB) string {
	t.Helper()
	Need(t, Debian)
	path, _ := depsFile("debian")
	return path
}

// depsDirs returns the directories for the programs of testdata/deps.sh and testdata/tools.sh.
func depsDirs() []string {
	var dirs []string
	for _, name := range []string{"bin", "qemu/usr/bin"} {
		if dir, _ := depsFile(name); dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// depsFile returns the path of a file in .deps next to the nearest go.mod, and whether it exists.
func depsFile(name string) (path string, ok bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path = filepath.Join(dir, ".deps", name)
			_, err := os.Stat(path)
			return path, err == nil
		}
	}
	return "", false
}
