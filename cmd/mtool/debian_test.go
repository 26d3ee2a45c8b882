package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mtool/cmd/internal/testparts"
)

// TestDebian builds on a root file system of Debian for arm64 in the store. Under QEMU, dpkg installs a package, users
// are added and used, setuid programs run. It builds as the user of the tests and as an unprivileged user.
func TestDebian(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Debian, testparts.QEMU)
	t.Run("here", func(t *testing.T) {
		dir := t.TempDir()
		debianContext(t, "dpkg", func(file, to string) string { return copyInto(t, file, filepath.Join(dir, to)) })
		env := append(testparts.Env(t), "MTOOL_HOME="+filepath.Join(dir, "home"))
		buildDebian(t, "dpkg", dir, func(args ...string) *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), "mtool", args...)
			cmd.Env = env
			return cmd
		})
	})
	t.Run("unprivileged", func(t *testing.T) { unprivilegedDebian(t, "dpkg") })
}

// TestDebootstrap does the same on a whole Debian, which debootstrap installs in a step of a Dockerfile, as an
// unprivileged user.
func TestDebootstrap(t *testing.T) {
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("debootstrap takes minutes under QEMU: make long")
	}
	testparts.Need(t, testparts.Debootstrap, testparts.QEMU)
	unprivilegedDebian(t, "debootstrap")
}

// unprivilegedDebian builds on the file system called base as an unprivileged user.
func unprivilegedDebian(t *testing.T, base string) {
	t.Helper()
	user := testparts.NewUser(t)
	mtool := installFor(t, user)
	debianContext(t, base, func(file, to string) string { return user.Give(t, file, to) })
	buildDebian(t, base, user.Home, func(args ...string) *exec.Cmd {
		return user.Command(context.WithoutCancel(t.Context()), mtool, args...)
	})
}

// debianContext makes the build context. give copies a file into a folder of it.
func debianContext(t *testing.T, base string, give func(file, dir string) string) {
	t.Helper()
	debian := testparts.DebianDir(t)
	for _, name := range []string{"Dockerfile", "Dockerfile." + base} {
		give(filepath.Join("..", "..", "testdata", "debian", name), "context")
	}
	give(filepath.Join(debian, "arm64-"+base+".tar"), "context")
	more, err := filepath.Glob(filepath.Join(debian, "arm64-more", "*.deb"))
	if err != nil || len(more) == 0 {
		t.Fatalf("no packages to install: %v", err)
	}
	for _, file := range more {
		give(file, "context/more")
	}
}

func copyInto(t *testing.T, file, dir string) string {
	t.Helper()
	body, err := os.ReadFile(file)
	path := filepath.Join(dir, filepath.Base(file))
	if err = errors.Join(err, os.MkdirAll(dir, 0o755)); err == nil {
		err = os.WriteFile(path, body, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func buildDebian(t *testing.T, base, dir string, mtool func(args ...string) *exec.Cmd) {
	t.Helper()
	run := func(args ...string) string {
		out, err := mtool(args...).CombinedOutput()
		if err != nil {
			t.Fatalf("mtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	files, archive := filepath.Join(dir, "context"), filepath.Join(dir, "out.tar")
	run("build", "--arch", "arm64", "-f", filepath.Join(files, "Dockerfile."+base), "-t", "debian:arm64", files)
	run("build", "--arch", "arm64", "-t", "installed:v1", "--output", "type=tar,dest="+archive, "--progress",
		"plain", files)
	if out := run("inspect", "--deep", "--exact", "--require", "linux/arm64", "installed:v1"); !strings.Contains(out,
		"binaries-ok") {
		t.Errorf("the binaries are not binaries-ok:\n%s", out)
	}
	have := namesIn(t, archive)
	for path, want := range map[string]string{
		"usr/bin/sudo":            "4755 0:0",
		"etc/sudoers":             "440 0:0",
		"usr/local/bin/setuid-id": "4755 0:0",
		"home/alice/dir":          "750 1234:1234",
		"home/alice/dir/file":     "640 1234:1234",
		"home/alice/who":          "644 1:2",
		"srv/www":                 "2775 33:33",
		"srv/www/index":           "644 33:33 = srv/www/hard",
		"srv/www/hard":            "644 33:33",
		"srv/www/link":            "777 33:33 -> index",
		"srv/nobody":              "1777 65534:65534",
		"more":                    "",
	} {
		if have[path] != want {
			t.Errorf("%s is %q, want %q", path, have[path], want)
		}
	}
}

// namesIn returns mode, owners and link target of each entry of a tar, by path.
func namesIn(t *testing.T, archive string) map[string]string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := map[string]string{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		file := fmt.Sprintf("%o %d:%d", h.Mode&0o7777, h.Uid, h.Gid)
		switch h.Typeflag {
		case tar.TypeLink:
			file += " = " + h.Linkname
		case tar.TypeSymlink:
			file += " -> " + h.Linkname
		}
		names[strings.TrimSuffix(h.Name, "/")] = file
	}
}
