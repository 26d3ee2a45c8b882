package workload_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/workload"
	"mtool/registry"
	"mtool/registry/registrytest"
)

const podText = `kind: Pod
apiVersion: v1
metadata: {name: %}
spec:
  nodeSelector: {kubernetes.io/arch: %}
  containers: [{name: app, image: r.example/demo:v1}]
`

// podsIn writes a file with a pod for each architecture, and a file without a workload.
func podsIn(t *testing.T, architectures ...string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"values.yaml": "replicas: 3\n"}
	for _, arch := range architectures {
		files[arch+".yaml"] = strings.ReplaceAll(podText, "%", arch)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// An image that two files name is checked once, for the platforms that both need.
func TestImages(t *testing.T) {
	t.Parallel()
	found, err := workload.ReadFiles(t.Context(), workload.FileOptions{Files: []string{podsIn(t, "amd64", "arm64")}})
	if err != nil || len(found.Skipped) != 1 || len(found.Uses) != 2 {
		t.Fatalf("got %+v, %v", found, err)
	}
	uses := append(found.Uses, workload.Use{Image: "r.example/Demo"})
	images, nameless := workload.Images(uses, workload.Universe{})
	if len(images) != 1 || len(images[0].Uses) != 2 || len(images[0].Only()) != 2 || len(nameless) != 1 {
		t.Fatalf("got %+v and %+v", images, nameless)
	}
	for _, c := range []struct {
		architectures []string
		fails         string
	}{{[]string{"amd64", "arm64"}, ""}, {[]string{"amd64"}, "needed by Pod arm64, container app"}} {
		var built []registrytest.Built
		for _, arch := range c.architectures {
			p := v1.Platform{OS: "linux", Architecture: arch}
			built = append(built, registrytest.Image(registrytest.ImageSpec{Platform: p}))
		}
		r, err := inspect.Read(t.Context(), registrytest.ListOf(built...).Object(images[0].Ref))
		if err != nil {
			t.Fatal(err)
		}
		err = inspect.Failed(images[0].Check(r, workload.CheckOptions{}))
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%v: got %v, want %q", c.architectures, err, c.fails)
		}
	}
}

func TestReadFilesRefuses(t *testing.T) {
	t.Parallel()
	dir := podsIn(t, "amd64")
	field, err := workload.ParseField("Pod=spec.none")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options workload.FileOptions
		kind    error
	}{
		"no such file": {
			workload.FileOptions{Files: []string{filepath.Join(dir, "none.yaml")}},
			registry.ErrNotFound,
		},
		"neither Kubernetes nor Compose": {
			workload.FileOptions{Files: []string{filepath.Join(dir, "values.yaml")}},
			registry.ErrUsage,
		},
		"an empty directory":           {workload.FileOptions{Files: []string{t.TempDir()}}, registry.ErrUsage},
		"a directory without an image": {workload.FileOptions{Files: []string{podsIn(t)}}, registry.ErrUsage},
		"a field that no object has": {
			workload.FileOptions{Files: []string{dir}, Fields: []workload.Field{field}},
			registry.ErrUsage,
		},
		"an unset variable": {
			workload.FileOptions{Files: []string{dir}, Env: []string{"MTOOL_NOT_SET"}},
			registry.ErrUsage,
		},
	} {
		if _, err := workload.ReadFiles(t.Context(), c.options); !errors.Is(err, c.kind) {
			t.Errorf("%s: got %v, want %v", name, err, c.kind)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, image string
		accepted       bool
	}{
		{"r.example/*", "r.example/a/b:v1", true},
		{"r.example/*", "s.example/a", false},
		{"*:v1", "r.example/a:v1", true},
		{"Task *", "", true}, // matches the place, since it has no image
		{"Job *", "", false},
	} {
		p, err := workload.ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		u := workload.Unchecked{Place: workload.Place{File: "f", Line: 1, What: "Task x"}, Image: c.image, Why: "none"}
		if f := u.Finding([]workload.Pattern{p}); f.Fails() == c.accepted {
			t.Errorf("%q, %q: got %+v", c.pattern, c.image, f)
		}
	}
	if _, err := workload.ParsePattern("["); err == nil {
		t.Error("an invalid pattern is accepted")
	}
}
