package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
)

// NewHome sets a new home directory, without logins, for this process and its children.
func NewHome(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("MTOOL_HOME", filepath.Join(home, "mtool"))
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, "docker"))
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	return home
}

// Program returns a link called mtool to this test's binary, which then behaves as mtool.
func Program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "mtool")
	if err := os.Symlink(self, named); err != nil {
		t.Fatal(err)
	}
	return named
}

// Process runs mtool as a separate process.
func Process(ctx context.Context, mtool string, words ...string) (string, error) {
	out, err := exec.CommandContext(ctx, mtool, words...).CombinedOutput()
	return string(out), err
}

// MustRun runs a command line in this process. It must succeed.
func MustRun(t *testing.T, line string) string {
	t.Helper()
	code, stdout, stderr := Run(context.WithoutCancel(t.Context()), "", strings.Fields(line)...)
	if code != 0 {
		t.Fatalf("mtool %s: code %d: %s", line, code, stderr)
	}
	return stdout
}

// Image returns a small image for a platform.
func Image(t *testing.T, name string) registrytest.Built {
	t.Helper()
	p, err := platform.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return registrytest.Image(registrytest.ImageSpec{Platform: p, Layers: 2, Padding: 20_000})
}

// PaddedImage returns an image with a layer of this size.
func PaddedImage(t *testing.T, size int) registrytest.Built {
	t.Helper()
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"},
		Padding:  size,
	})
}

// WriteArchive writes an image to a file.
func WriteArchive(t *testing.T, path string, b registrytest.Built) {
	t.Helper()
	ref, err := registry.ParseRef("oci-archive:" + path + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	w, err := archive.Create(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Push(t.Context(), w, "v1"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// ScratchContext returns a build context without a base image and without RUN.
func ScratchContext(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string]string{
		"Dockerfile": "FROM scratch\nARG N\nLABEL n=$N\nCOPY file /\n",
		"file":       "content\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// MustDigest returns the digest of a tag. The tag must exist.
func MustDigest(t *testing.T, s *registrytest.Server, repo, tag string) v1.Hash {
	t.Helper()
	digest, ok := s.Tag(repo, tag)
	if !ok {
		t.Fatalf("%s:%s is not in the registry", repo, tag)
	}
	return digest
}
