package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mtool/cmd/internal/testparts"
	"mtool/registry/serve"
	"mtool/registry/store"
)

// TestMakeRelease makes a release in two directories, which must give the same bytes, then one for every target, and
// pushes its images. Each Linux program runs, under QEMU if it is for another machine, and inspects mtool's image. The
// other programs have the format of their system. The images have SBOMs. podman and docker run the builder image.
func TestMakeRelease(t *testing.T) {
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("compiles for minutes: make long does it, with MTOOL_TEST_FULL=1")
	}
	const some = "linux/amd64 linux/riscv64"
	first, second := makeIn(t, t.TempDir(), some, ""), makeIn(t, filepath.Join(t.TempDir(), "deeper"), some, "")
	if a, b := sums(t, first), sums(t, second); len(a) < 2 || !slices.Equal(a, b) {
		t.Errorf("the same commit in another directory gives other bytes:\n%s\n\n%s",
			strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	server := serve.New(store.Open(t.TempDir()), serve.Options{Writable: true})
	registry := httptest.NewServer(server)
	t.Cleanup(registry.Close)
	published := strings.TrimPrefix(registry.URL, "http://") + "/team/mtool"
	dist := makeIn(t, t.TempDir(), "", published)
	same := sums(t, dist)
	for _, line := range sums(t, first) {
		if strings.Contains(line, "  mtool-1.9.9-linux-") && !slices.Contains(same, line) {
			t.Errorf("with more targets the bytes differ: %s", line)
		}
	}
	targets, err := parseTargets("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range targets {
		if m.os == "linux" {
			starts(t, dist, m)
		} else {
			isFor(t, dist, m)
		}
	}
	for _, name := range []string{"1.9.9", "1.9.9-builder"} {
		hasSBOM(t, dist, "oci-archive:"+filepath.Join(dist, "mtool-"+name+"-image.tar"))
		hasSBOM(t, dist, published+":"+name)
	}
	if os.Geteuid() == 0 { // files of rootless podman belong to other users
		buildsInPodman(t, dist)
		buildsInDocker(t, published+":1.9.9-builder")
	}
}

// makeIn runs make release in a clone of this repository and returns its dist directory.
func makeIn(t *testing.T, dir, targets, image string) string {
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
	must(t, "make", "-C", clone, "release", "VERSION=v1.9.9", "TARGETS="+targets, "IMAGE="+image)
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

// sums returns the lines of SHA256SUMS.
func sums(t *testing.T, dist string) []string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dist, sumsFile))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(body)), "\n")
}

// unpack unpacks the archive of a target and returns the path of its program.
func unpack(t *testing.T, dist string, m target) string {
	t.Helper()
	dir, archive := t.TempDir(), filepath.Join(dist, "mtool-1.9.9-"+m.file())
	if m.os == "windows" {
		must(t, "unzip", "-q", archive+".zip", "-d", dir)
	} else {
		must(t, "tar", "-xzf", archive+".tar.gz", "-C", dir)
	}
	return filepath.Join(dir, "mtool-1.9.9-"+m.file(), m.program())
}

// hasSBOM checks that the SBOM of every platform names mtool and a module, and in the builder image also runc.
func hasSBOM(t *testing.T, dist, image string) {
	t.Helper()
	out := must(t, unpack(t, dist, target{os: "linux", arch: "amd64"}), "inspect", "--format",
		`{{range .Platforms}}{{.Platform}}{{range .SBOM.Predicate.packages}} {{.name}}{{end}}{{"\n"}}{{end}}`, image)
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line) + " " // ends the last name too
		for _, name := range []string{" mtool ", " github.com/spf13/cobra ", " ca-certificates "} {
			if !strings.Contains(line, name) {
				t.Errorf("%s: the SBOM lacks%s: %s", image, name, line)
			}
		}
		if strings.Contains(image, "-builder") && !strings.Contains(line, " runc ") {
			t.Errorf("%s: the SBOM lacks runc: %s", image, line)
		}
	}
}

// isFor checks the format of a program that can't be started here.
func isFor(t *testing.T, dist string, m target) {
	t.Helper()
	out := must(t, "file", "--brief", unpack(t, dist, m))
	for _, word := range map[target][]string{
		{"darwin", "amd64", ""}: {"Mach-O 64-bit", "x86_64"}, {"darwin", "arm64", ""}: {"Mach-O 64-bit", "arm64"},
		{"windows", "amd64", ""}: {"PE32+", "x86-64"}, {"windows", "arm64", ""}: {"PE32+", "Aarch64"},
		{"freebsd", "amd64", ""}: {"ELF 64-bit", "x86-64", "FreeBSD"},
	}[m] {
		if !strings.Contains(out, word) {
			t.Errorf("%s is not %s: %s", m, word, out)
		}
	}
}

// starts unpacks the archive of a target and runs its program.
func starts(t *testing.T, dist string, m target) {
	t.Helper()
	run := []string{unpack(t, dist, m)}
	qemu := map[string]string{
		"arm64": "aarch64", "arm": "arm", "386": "i386", "riscv64": "riscv64", "s390x": "s390x", "ppc64le": "ppc64le",
		"loong64": "loongarch64", "mips64le": "mips64el",
	}[m.arch]
	if qemu != "" {
		// The signals that preempt goroutines break threads in qemu-i386, of any Go program.
		run = append([]string{"qemu-" + qemu + "-static", "-E", "GODEBUG=asyncpreemptoff=1"}, run...)
	}
	t.Setenv("MTOOL_HOME", t.TempDir())
	version := must(t, run[0], append(run[1:], "version")...)
	if !strings.HasPrefix(version, "mtool 1.9.9 linux/"+m.arch+" go") {
		t.Errorf("%s: version: %s", m, version)
	}
	image := "oci-archive:" + filepath.Join(dist, "mtool-1.9.9-image.tar")
	out := must(t, run[0], append(run[1:], "inspect", "--require", m.String(), image)...)
	if !strings.Contains(out, m.String()) {
		t.Errorf("%s: inspect: %s", m, out)
	}
}

// buildsInPodman runs the builder image of the archive in podman.
func buildsInPodman(t *testing.T, dist string) {
	t.Helper()
	podman := strings.Fields("podman --root " + filepath.Join(t.TempDir(), "podman") +
		" --storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime runc")
	must(t, podman[0], append(podman[1:], "load", "-q", "-i", filepath.Join(dist, "mtool-1.9.9-builder-image.tar"))...)
	builds(t, "docker.io/library/mtool:1.9.9-builder", append(podman, "run", "--cgroup-parent", "mtool-release",
		"--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")...)
	must(t, "sh", "-c", `for _ in $(seq 100); do # until conmon has ended
		find /sys/fs/cgroup -depth -type d -path '*/mtool-release*' -exec rmdir {} \; 2>/dev/null
		[ -n "$(find /sys/fs/cgroup -type d -path '*/mtool-release*')" ] || exit 0
		sleep 0.1
	done
	exit 1`)
}

// buildsInDocker runs the published builder image in docker, with the flags that the README names.
func buildsInDocker(t *testing.T, image string) {
	t.Helper()
	engine := testparts.StartDockerd(t)
	docker := append([]string{"env"}, append(engine.Env(), testparts.Program(t, "docker"))...)
	must(t, docker[0], append(docker[1:], "pull", "-q", image)...)
	builds(t, image, append(docker, "run", "--security-opt", "seccomp=unconfined", "--security-opt",
		"apparmor=unconfined")...)
}

// builds runs the builder image, which builds an image for another architecture whose step checks uname. run is the
// command that runs an image.
func builds(t *testing.T, image string, run ...string) {
	t.Helper()
	context := t.TempDir()
	must(t, "cp", "-L", filepath.Join("..", "..", "..", ".deps", "rootfs", "arm64-0.tar"), context)
	const recipe = "FROM scratch\nADD arm64-0.tar /\nRUN test $(uname -m) = aarch64\n"
	if err := os.WriteFile(filepath.Join(context, "Dockerfile"), []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	output := must(t, run[0], append(run[1:], "--rm", "--network", "none", "-v", context+":/work", image,
		"build", "--arch", "arm64", "-t", "made:v1", "--progress", "plain", "--network", "none", ".")...)
	if !strings.Contains(output, "built linux/arm64 as made:v1, emulated by qemu-aarch64") {
		t.Errorf("%v: %s", run, output)
	}
}
