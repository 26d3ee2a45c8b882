package testparts

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Builder is a BuildKit daemon in a container.
type Builder struct {
	Name string // the container's name
}

// StartBuilder runs a builder in the engine. Its image has only BuildKit, runc, their libraries and an emulator for
// arm64. It uses the machine's network and stops with the test.
func StartBuilder(t testing.TB, e *Engine) *Builder {
	t.Helper()
	Need(t, Docker, Buildkit, QEMU)
	b := &Builder{Name: "mtool-builder"}
	docker := func(in io.Reader, args ...string) (string, error) {
		cmd := exec.Command(Program(t, "docker"), args...)
		cmd.Env, cmd.Stdin = e.Env(), in
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	image, err := builderImage(t)
	if err != nil {
		t.Fatalf("making the builder's image: %v", err)
	}
	if out, err := docker(image, "import", "-", "mtool-builder"); err != nil {
		t.Fatalf("importing the builder's image: %v: %s", err, out)
	}
	out, err := docker(nil, "run", "--detach", "--privileged", "--network", "host", "--name", b.Name, "--volume",
		"/var/lib/buildkit",
		"--env", "PATH=/bin", "mtool-builder", "/bin/buildkitd", "--oci-worker-net", "host", "--containerd-worker=false",
		"--allow-insecure-entitlement", "security.insecure", "--oci-worker-platform", "linux/amd64", "--oci-worker-platform",
		"linux/arm64")
	if err != nil {
		t.Fatalf("running the builder: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := docker(nil, "rm", "--force", "--volumes", b.Name); err != nil {
			t.Errorf("removing the builder: %v: %s", err, out)
		}
	})
	if !eventually(func() bool {
		out, err = docker(nil, "exec", b.Name, "buildctl", "debug", "workers")
		return err == nil
	}) {
		logs, _ := docker(nil, "logs", b.Name)
		t.Fatalf("the builder does not answer: %v: %s\n%s", err, out, logs)
	}
	return b
}

// builderImage returns the builder's root file system as a tar.
func builderImage(t testing.TB) (io.Reader, error) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	// No certificates and no resolver: it fetches from the loopback interface only.
	errs := []error{dirEntry(w, "tmp", 0o1777), dirEntry(w, "run", 0o755), dirEntry(w, "etc", 0o755)}
	programs := map[string]string{
		"buildkitd": "buildkitd", "buildctl": "buildctl", "runc": "runc",
		"buildkit-qemu-aarch64": "qemu-aarch64-static",
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		path := Program(t, programs[name])
		errs = append(errs, fileEntry(w, path, "bin/"+name))
		for _, library := range libraries(path) {
			errs = append(errs, fileEntry(w, library, strings.TrimPrefix(library, "/")))
		}
	}
	return &b, errors.Join(append(errs, w.Close())...)
}

// libraries returns the shared libraries of a program, as ldd(1) lists them.
func libraries(program string) (paths []string) {
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil
	}
	for _, m := range regexp.MustCompile(`(?m)\s(/\S+) \(0x`).FindAllStringSubmatch(string(out), -1) {
		paths = append(paths, m[1])
	}
	return paths
}

func dirEntry(w *tar.Writer, name string, mode int64) error {
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func fileEntry(w *tar.Writer, path, name string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(body))})
	if err == nil {
		_, err = w.Write(body)
	}
	return err
}
