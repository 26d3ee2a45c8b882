package testparts

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// made returns a machine with only these programs and files.
func made(root bool, programs ...string) machine {
	return machine{
		root: root, subids: root, look: func(name string) (string, error) {
			if slices.Contains(programs, name) {
				return "/" + name, nil
			}
			return "", exec.ErrNotFound
		}, has: func(file string) bool { return slices.Contains(programs, file) },
		exists: func(path string) bool { return slices.Contains(programs, path) },
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		part Part
		on   machine
		want string // part of the error, or "" if the part is there
	}{
		"present":    {Crane, made(false, "crane"), ""},
		"missing":    {Crane, made(true, "skopeo"), "crane"},
		"one of two": {Docker, made(true, "docker", "containerd"), "dockerd"},
		"no device": {
			ExFAT, made(true, "mkfs.exfat", "mount.exfat-fuse", "losetup", "unshare", "/dev/fuse"),
			"/dev/loop-control",
		},
		"not root": {Docker, made(false, "docker", "dockerd", "containerd"), "root"},
		"other name": {
			QEMU,
			made(false, "qemu-aarch64", "qemu-arm-static", "qemu-x86_64", "qemu-i386", "qemu-ppc64le", "qemu-riscv64",
				"qemu-s390x"), "",
		},
		"one arch of all": {QEMU, made(false, "qemu-aarch64", "qemu-x86_64"), "qemu-arm-static or qemu-arm"},
		"no ids":          {Unprivileged, made(false, "newuidmap", "newgidmap"), "subordinate"},
		"no file":         {Debian, made(true, "arm64-dpkg.tar"), ".deps/debian/arm64-dpkg.tar"},
		"file":            {Debian, made(true, "debian/arm64-dpkg.tar"), ""},
		"unknown":         {"dokcer", made(true, "dokcer"), `no such part: "dokcer"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := missing(test.part, test.on)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAvailable(t *testing.T) {
	t.Parallel()
	bare := made(true)
	for name, test := range map[string]struct {
		part     Part
		on       machine
		required string
		only     bool
		there    bool
		fails    bool
	}{
		"there":                    {Crane, made(false, "crane"), "crane", false, true, false},
		"missing, optional":        {Crane, bare, "", false, false, false},
		"missing, another one set": {Crane, bare, "docker,regctl", false, false, false},
		"missing, required":        {Crane, bare, "docker,crane", false, false, true},
		"misspelt":                 {"crain", bare, "", false, false, true},
		"there, left out":          {Crane, made(false, "crane"), "registry", true, false, false},
		"there, one of few":        {Crane, made(false, "crane"), "registry,crane", true, true, false},
		"misspelt, left out":       {"crain", bare, "registry", true, false, true},
		"time":                     {Slow, bare, "", false, true, false},
		"no time":                  {Slow, bare, "registry", true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, err := available(test.part, missing(test.part, test.on), test.required, test.only)
			if there != test.there || (err != nil) != test.fails {
				t.Errorf("got %t, %v, want %t, error %t", there, err, test.there, test.fails)
			}
		})
	}
}

func TestMountPoints(t *testing.T) {
	t.Parallel()
	const mountinfo = `22 1 254:1 / / rw - ext4 /dev/vda1 rw
80 22 0:40 / /tmp/a/state rw - tmpfs tmpfs rw
81 80 0:41 / /tmp/a/state/merged rw - overlay overlay rw
82 22 0:42 / /tmp/ab rw - tmpfs tmpfs rw
`
	want := []string{"/tmp/a/state/merged", "/tmp/a/state"}
	if got := mountPoints([]byte(mountinfo), "/tmp/a"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFreeRange(t *testing.T) {
	t.Parallel()
	for table, want := range map[string]struct {
		first int
		has   bool
	}{
		"":                                      {100_000, false},
		"ann:100000:65536\n":                    {165_536, false},
		"ann:300000:10\nbob:1000:1\n# comment":  {300_010, false},
		"mtool-test:100000:65536\nann:200000:1": {200_001, true},
		"1001:100000:65536":                     {165_536, true},
		"not-mtool-test:100000:65536\n":         {165_536, false},
	} {
		if first, has := freeRange([]byte(table), "1001", testUser); first != want.first || has != want.has {
			t.Errorf("%q: got %d %t, want %+v", table, first, has, want)
		}
	}
}
