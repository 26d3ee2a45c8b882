package build_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/registry"
	"mtool/registry/store"
)

var arm64 = []v1.Platform{{OS: "linux", Architecture: "arm64", Variant: "v8"}}

// tryPaths prepares a build and returns the spec that the solver got.
func tryPaths(t *testing.T, spec build.Spec) (build.Spec, error) {
	t.Helper()
	spec.Name = name
	if spec.Platforms == nil {
		spec.Platforms = arm64
	}
	solver := &exporter{image: honest}
	_, err := build.Run(t.Context(), spec,
		build.Options{Store: store.Open(filepath.Join(t.TempDir(), "store")), Solver: solver})
	return solver.job.Spec, err
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(to, at)); err != nil {
		t.Fatal(err)
	}
}

// A Dockerfile that is a link out of the context is not read.
func TestDockerfileLinksOut(t *testing.T) {
	t.Parallel()
	dir := oneFile(t)
	outside := filepath.Join(oneFile(t), "Dockerfile")
	link(t, "Dockerfile", filepath.Join(dir, "within"))
	link(t, "../Dockerfile", filepath.Join(dir, "sub", "up"))
	link(t, outside, filepath.Join(dir, "absolute"))
	link(t, "/proc/self/environ", filepath.Join(dir, "environment"))
	link(t, filepath.Dir(outside), filepath.Join(dir, "folder"))
	link(t, "nowhere", filepath.Join(dir, "dangling"))
	link(t, "/dev/zero", filepath.Join(dir, "endless"))
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"Dockerfile": "", "within": "", "sub/up": "", "absolute": "leads out of", "environment": "leads out of",
		"folder/Dockerfile": "leads out of",
		"dangling":          "no such file", "endless": "leads out of", "pipe": "named pipe",
	} {
		got, err := tryPaths(t, build.Spec{Context: dir, Dockerfile: filepath.Join(dir, file)})
		switch {
		case want == "" && (err != nil || got.Dockerfile != filepath.Join(dir, "Dockerfile") || got.DockerfileLinked):
			t.Errorf("%s: %q, %v", file, got.Dockerfile, err)
		case want != "" && (!errors.Is(err, registry.ErrUsage) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	// The user may name any file outside, but no message quotes a file behind a link.
	for file, linked := range map[string]bool{outside: false, filepath.Join(dir, "absolute"): true} {
		if got, err := tryPaths(t, build.Spec{Context: t.TempDir(), Dockerfile: file}); err != nil ||
			got.Dockerfile != outside || got.DockerfileLinked != linked {
			t.Errorf("%s: %q, linked %v, %v", file, got.Dockerfile, got.DockerfileLinked, err)
		}
	}
}

// Outputs are not written through a link in the context or in the output directory.
func TestOutputsThroughLinks(t *testing.T) {
	t.Parallel()
	dir, outside := oneFile(t), t.TempDir()
	link(t, outside, filepath.Join(dir, "out"))
	link(t, "real", filepath.Join(dir, "within"))
	link(t, "/nowhere/at/all", filepath.Join(dir, "dangling"))
	for _, sub := range []string{"real", "several"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, outside, filepath.Join(dir, "several", "linux_arm64"))
	both := []v1.Platform{arm64[0], {OS: "linux", Architecture: "amd64"}}
	elsewhere := t.TempDir()
	link(t, outside, filepath.Join(elsewhere, "linux_amd64"))
	mine := filepath.Join(t.TempDir(), "mine")
	link(t, outside, mine)
	for _, c := range []struct {
		out       string
		platforms []v1.Platform
		refused   bool
	}{
		{filepath.Join(dir, "out"), nil, true},
		{filepath.Join(dir, "out", "deep"), nil, true},
		{filepath.Join(dir, "dangling"), nil, true},
		{filepath.Join(dir, "within"), nil, false},
		{filepath.Join(dir, "new", "deep"), nil, false},
		{outside, nil, false},
		{mine, nil, false},
		{filepath.Join(dir, "several"), both, true},
		{elsewhere, both, true},
		{elsewhere, nil, false},
		{mine, both, false},
	} {
		spec := build.Spec{
			Context: dir, Platforms: c.platforms,
			SpecOptions: build.SpecOptions{Exports: []build.Export{{Type: "local", Dir: c.out}}},
		}
		got, err := tryPaths(t, spec)
		if refused := errors.Is(err, registry.ErrUsage); refused != c.refused || refused && got.Context != "" {
			t.Errorf("%s for %d platforms: %v, want refused %v", c.out, len(c.platforms), err, c.refused)
		}
	}
	if entries, err := os.ReadDir(outside); len(entries) > 0 || err != nil {
		t.Errorf("something was written: %v, %v", entries, err)
	}
}
