package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMakeRelease makes a release in two folders, which must be the same bytes, then one for every target. Each Linux
// program starts, under QEMU where it is for another machine, and inspects the image of mtool. podman runs the image
// that builds.
func TestMakeRelease(t *testing.T) {
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("compiles for minutes: make long does it, with MTOOL_TEST_FULL=1")
	}
	const some = "linux/amd64 linux/riscv64"
	first, second := makeIn(t, t.TempDir(), some), makeIn(t, filepath.Join(t.TempDir(), "deeper"), some)
	if a, b := sums(t, first), sums(t, second); len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("the same commit in another folder is other bytes:\n%s\n\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	if a, b := images(t, first), images(t, second); a == "" || a != b {
		t.Errorf("the same commit in another folder makes other images:\n%s\n%s", a, b)
	}
	dist := makeIn(t, t.TempDir(), "")
	same := sums(t, dist)
	for _, line := range sums(t, first) {
		if strings.Contains(line, "  mtool-9.9.9-linux-") && !slices.Contains(same, line) {
			t.Errorf("with more targets it is other bytes: %s", line)
		}
	}
	targets, err := parseTargets("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range targets {
		if m.os == "linux" {
			starts(t, dist, m)
		}
	}
	if os.Geteuid() == 0 { // what a user's podman leaves belongs to others
		buildsInPodman(t, dist)
	}
}

// makeIn runs make release in a clone of this repository, and returns its dist.
func makeIn(t *testing.T, dir, targets string) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(dir, "clone")
	must(t, "git", "clone", "-q", root, clone)
	if err := os.Symlink(filepath.Join(root, ".deps"), filepath.Join(clone, ".deps")); err != nil {
		t.Fatal(err)
	}
	must(t, "make", "-C", clone, "release", "VERSION=v9.9.9", "TARGETS="+targets)
	return filepath.Join(clone, "dist")
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(bytes.TrimSpace(out))
}

// sums are the lines of SHA256SUMS, but for the archives of images: the statements in them tell when they were made.
func sums(t *testing.T, dist string) []string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dist, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(body)), "\n"), func(line string) bool {
		return strings.HasSuffix(line, "-image.tar")
	})
}

// images are the digests of the images of mtool, for all platforms, as the program of this release tells them.
func images(t *testing.T, dist string) (digests string) {
	t.Helper()
	dir := t.TempDir()
	must(t, "tar", "-xzf", filepath.Join(dist, "mtool-9.9.9-linux-amd64.tar.gz"), "-C", dir)
	for _, name := range []string{"mtool-9.9.9-image.tar", "mtool-9.9.9-builder-image.tar"} {
		digests += must(t, filepath.Join(dir, "mtool-9.9.9-linux-amd64", "mtool"), "inspect", "--format",
			`{{range .Platforms}}{{.Digest}}{{"\n"}}{{end}}`, "oci-archive:"+filepath.Join(dist, name)) + "\n"
	}
	return digests
}

// starts unpacks the archive of a target and runs its program.
func starts(t *testing.T, dist string, m target) {
	t.Helper()
	dir := t.TempDir()
	must(t, "tar", "-xzf", filepath.Join(dist, "mtool-9.9.9-"+m.file()+".tar.gz"), "-C", dir)
	run := []string{filepath.Join(dir, "mtool-9.9.9-"+m.file(), "mtool")}
	qemu := map[string]string{
		"arm64": "aarch64", "arm": "arm", "386": "i386", "riscv64": "riscv64", "s390x": "s390x", "ppc64le": "ppc64le",
		"loong64": "loongarch64", "mips64le": "mips64el",
	}[m.arch]
	if qemu != "" {
		run = append([]string{"qemu-" + qemu + "-static"}, run...)
	}
	t.Setenv("MTOOL_HOME", t.TempDir())
	if said := must(t, run[0], append(run[1:], "version")...); !strings.HasPrefix(said,
		"mtool 9.9.9 linux/"+m.arch+" go") {
		t.Errorf("%s: version: %s", m, said)
	}
	image := "oci-archive:" + filepath.Join(dist, "mtool-9.9.9-image.tar")
	if said := must(t, run[0], append(run[1:], "inspect", "--require", m.String(), image)...); !strings.Contains(said,
		m.String()) {
		t.Errorf("%s: inspect: %s", m, said)
	}
}

// buildsInPodman has the image that builds make an image for another architecture, with a step that tells it.
func buildsInPodman(t *testing.T, dist string) {
	t.Helper()
	dir := t.TempDir()
	context, state := filepath.Join(dir, "context"), filepath.Join(dir, "state")
	for _, name := range []string{context, state} {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "cp", "-L", filepath.Join("..", "..", "..", ".deps", "rootfs", "arm64-0.tar"), context)
	if err := os.WriteFile(filepath.Join(context, "Dockerfile"),
		[]byte("FROM scratch\nADD arm64-0.tar /\nRUN test $(uname -m) = aarch64\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	podman := strings.Fields("podman --root " + filepath.Join(dir, "podman") +
		" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime runc")
	must(t, podman[0], append(podman[1:], "load", "-q", "-i", filepath.Join(dist, "mtool-9.9.9-builder-image.tar"))...)
	run := append(podman[1:], "run", "--rm", "--cgroup-parent", "mtool-release", "--network", "none", "--ulimit",
		"nofile=1024:1024", "--ulimit", "nproc=4096:4096",
		"-v", state+":/var/lib/mtool", "-v", context+":/work", "docker.io/library/mtool:9.9.9-builder",
		"build", "--arch", "arm64", "-t", "made:v1", "--progress", "plain", "--network", "none", ".")
	if said := must(t, podman[0], run...); !strings.Contains(said,
		"built linux/arm64 as made:v1, emulated by qemu-aarch64") {
		t.Errorf("podman: %s", said)
	}
	must(t, "sh", "-c", `for _ in $(seq 100); do # until conmon has ended
		find /sys/fs/cgroup -depth -type d -path '*/mtool-release*' -exec rmdir {} \; 2>/dev/null
		[ -n "$(find /sys/fs/cgroup -type d -path '*/mtool-release*')" ] || exit 0
		sleep 0.1
	done
	exit 1`)
}
