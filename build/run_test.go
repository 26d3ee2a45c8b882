package build_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/advice"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

// exporter is a Solver that exports image(p) for each platform, honest or not, or fails with err.
type exporter struct {
	image func(v1.Platform) registrytest.Built
	spoil func(dir string) error
	err   error
	fails map[string]error // optional platforms that fail
	job   build.Job
}

func (e *exporter) Solve(ctx context.Context, job build.Job) ([]build.Layout, error) {
	e.job = job
	if e.err != nil {
		return nil, e.err
	}
	var layouts []build.Layout
	for _, p := range job.Spec.Platforms {
		if err := e.fails[p.Architecture]; err != nil {
			layouts = append(layouts, build.Layout{Err: err})
			continue
		}
		dir := filepath.Join(job.Dir, platform.Suffix(p))
		w, err := archive.Create(registry.Ref{Transport: registry.TransportLayout, Path: dir, Tag: "x"})
		if err != nil {
			return nil, err
		}
		image := e.image(p)
		if err := errors.Join(image.Push(ctx, w, "x"), w.Close()); err != nil {
			return nil, err
		}
		if e.spoil != nil {
			if err := e.spoil(dir); err != nil {
				return nil, err
			}
		}
		layouts = append(layouts, build.Layout{Dir: dir, Root: image.Manifest.Descriptor()})
	}
	return layouts, nil
}

func honest(p v1.Platform) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{Platform: p})
}

func TestRun(t *testing.T) {
	t.Parallel()
	amd64, arm64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"}
	failed := errors.New("failed")
	for _, c := range []struct {
		name   string
		solver exporter
		want   error
	}{
		{"honest", exporter{image: honest}, nil},
		{
			"config of another platform",
			exporter{image: func(v1.Platform) registrytest.Built { return honest(amd64) }},
			registry.ErrContent,
		},
		{
			"a list",
			exporter{image: func(p v1.Platform) registrytest.Built { return registrytest.ListOf(honest(p)) }},
			registry.ErrContent,
		},
		{"changed bytes", exporter{image: honest, spoil: func(dir string) error {
			files, _ := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
			for _, f := range files {
				if err := os.WriteFile(f, []byte("{}"), 0o644); err != nil {
					return err
				}
			}
			return nil
		}}, registry.ErrContent},
		{"failed", exporter{err: failed}, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			s := store.Open(filepath.Join(home, "store"))
			spec := build.Spec{Context: oneFile(t), Platforms: []v1.Platform{amd64, arm64}, Name: name}
			r, err := build.Run(t.Context(), spec, build.Options{Store: s, Solver: &c.solver})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			for i, p := range spec.Platforms {
				object, err := s.Get(t.Context(), name(p))
				if c.want == nil && (err != nil || object.Root.Digest != r.Images[i].Manifest.Digest) {
					t.Errorf("the store lacks the image that was built: %v", err)
				}
				if c.want != nil && !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("the store has %s: %v", platform.Format(p), err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(home, ".build-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A platform that fails is left out if it is optional, whether the worker fails or its image is wrong.
func TestOptional(t *testing.T) {
	t.Parallel()
	amd64, riscv64 := v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "riscv64"}
	broken := errors.New("broken")
	wrong := func(v1.Platform) registrytest.Built { return honest(amd64) }
	for what, c := range map[string]struct {
		solver exporter
		want   error // of the missing platform, or of the build
		ends   bool  // the build
	}{
		"built":       {exporter{image: honest}, nil, false},
		"fails":       {exporter{image: honest, fails: map[string]error{"riscv64": broken}}, broken, false},
		"wrong":       {exporter{image: wrong}, registry.ErrContent, false},
		"interrupted": {exporter{image: honest, fails: map[string]error{"riscv64": context.Canceled}}, context.Canceled, true},
		"the other":   {exporter{image: honest, fails: map[string]error{"amd64": broken}}, broken, true},
	} {
		spec := build.Spec{
			Context: oneFile(t), Platforms: []v1.Platform{amd64, riscv64}, Optional: []v1.Platform{riscv64}, Name: name,
		}
		r, err := build.Run(t.Context(), spec,
			build.Options{Store: store.Open(filepath.Join(t.TempDir(), "store")), Solver: &c.solver})
		if c.ends {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", what, err, c.want)
			}
			continue
		}
		var missing error
		if len(r.Missing) > 0 {
			missing = r.Missing[0].Err
		}
		if err != nil || !errors.Is(missing, c.want) || len(r.Images)+len(r.Missing) != len(spec.Platforms) {
			t.Errorf("%s: %d images, missing: %v, want %v; %v", what, len(r.Images), missing, c.want, err)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	dir := oneFile(t)
	file := filepath.Join(dir, "Dockerfile")
	host := []v1.Platform{{OS: "linux", Architecture: "amd64"}}
	for desc, c := range map[string]struct {
		spec build.Spec
		want string
	}{
		"no platform":    {build.Spec{Context: dir}, "no platform"},
		"no context":     {build.Spec{Context: dir + "/none", Platforms: host}, dir + "/none"},
		"context a file": {build.Spec{Context: file, Platforms: host}, "not a directory"},
		"no Dockerfile":  {build.Spec{Context: t.TempDir(), Platforms: host}, "Dockerfile"},
		"no such file":   {build.Spec{Context: dir, Dockerfile: "none", Platforms: host}, `"none"`},
		"standard input": {build.Spec{Context: dir, Dockerfile: "-", Platforms: host}, "standard input"},
		"a directory":    {build.Spec{Context: dir, Dockerfile: dir, Platforms: host}, "not a regular file"},
		"progress":       {build.Spec{Context: dir, Platforms: host, Progress: "loud"}, "loud"},
	} {
		solver := &exporter{image: honest}
		c.spec.Name = name
		_, err := build.Run(t.Context(), c.spec,
			build.Options{Store: store.Open(filepath.Join(t.TempDir(), "store")), Solver: solver})
		if !errors.Is(err, registry.ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want registry.ErrUsage about %q", desc, err, c.want)
		}
		if solver.job.Dir != "" {
			t.Errorf("%s: the solver was called", desc)
		}
	}
}

func TestDockerfileElsewhere(t *testing.T) {
	t.Parallel()
	real := filepath.Join(oneFile(t), "Dockerfile")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	solver := &exporter{image: honest}
	spec := build.Spec{
		Context: t.TempDir(), Dockerfile: link,
		Platforms: []v1.Platform{{OS: "linux", Architecture: "arm64", Variant: "v8"}}, Name: name,
	}
	if _, err := build.Run(t.Context(), spec,
		build.Options{Store: store.Open(filepath.Join(t.TempDir(), "store")), Solver: solver}); err != nil {
		t.Fatal(err)
	}
	if got := solver.job.Spec; got.Dockerfile != real || platform.Format(got.Platforms[0]) != "linux/arm64" ||
		got.Progress != "auto" || got.Out == nil {
		t.Errorf("the solver got %+v", got)
	}
}

func TestStaleScratch(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	stale := filepath.Join(home, ".build-1")
	if err := os.MkdirAll(filepath.Join(stale, "blobs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stale+".lock", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	spec := build.Spec{Context: oneFile(t), Platforms: []v1.Platform{{OS: "linux", Architecture: "amd64"}}, Name: name}
	if _, err := build.Run(t.Context(), spec,
		build.Options{Store: store.Open(filepath.Join(home, "store")), Solver: &exporter{image: honest}}); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(home, ".build-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStepError(t *testing.T) {
	t.Parallel()
	e := &build.StepError{
		Platform: v1.Platform{OS: "linux", Architecture: "arm64"}, Emulator: "aarch64",
		Step: "[2/2] RUN x", Exit: 139, Log: []string{"a", "b"}, Err: errors.New("x"),
	}
	if !errors.Is(e, build.ErrNoWorker) || e.Advised().Kind != advice.NewerQEMU {
		t.Error("a crash under emulation is not ErrNoWorker")
	}
	want := "building linux/arm64: step \"[2/2] RUN x\" failed with exit code 139 (emulated by qemu-aarch64), after printing:\n  a\n  b"
	if e.Error() != want {
		t.Errorf("got  %s\nwant %s", e, want)
	}
	e.Emulator, e.Shown = "", true
	if errors.Is(e, build.ErrNoWorker) || !e.Advised().IsZero() || strings.Contains(e.Error(), "\n") {
		t.Errorf("a native crash that was shown: %v, %v", e, e.Advised())
	}
}

func oneFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func name(p v1.Platform) registry.Ref {
	return registry.Ref{
		Transport: registry.TransportStore, Host: "docker.io", Repo: "library/demo",
		Tag: platform.Suffix(p),
	}
}
