package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"mtool/cmd/internal/testparts"
)

// published is the module path that the copy gets.
const published = "github.com/you/mtool"

// TestModule gives a copy of the module a path, serves it from a GOPROXY in the file system, and imports it in another
// program.
func TestModule(t *testing.T) {
	t.Parallel()
	c := newModuleCopy(t)
	for _, bad := range []string{
		"", "mtool", "github.com", "github.com/you", "https://github.com/you/mtool", "git@github.com:you/mtool",
		"github.com/you/mtool/",
		"github.com/you/mtool.git", "github.com/you/mtool/v2", "github.com/you/mtool@v1", "github.com/you/my tool",
		"../mtool", "/tmp/mtool",
	} {
		if out, code := c.run(t, c.renamer, bad); code != 2 {
			t.Errorf("%q: exit code %d: %s", bad, code, out)
		}
	}
	c.write(t, "new.txt", "not committed")
	if out, code := c.run(t, c.renamer, published); code != 1 || !strings.Contains(out, "not committed") {
		t.Errorf("a dirty tree: exit code %d: %s", code, out)
	}
	c.must(t, "rm", "new.txt")
	if out := c.must(t, "git", "status", "--porcelain"); out != "" {
		t.Fatalf("a refused path has changed files: %s", out)
	}

	c.must(t, c.renamer, published)
	changed := c.must(t, "git", "diff")
	for _, line := range []string{
		"+module " + published, "+      module-path: " + published,
		"+      - uses: you/mtool@main",
	} {
		if !strings.Contains(changed, line) {
			t.Errorf("the diff lacks %q", line)
		}
	}
	c.must(t, c.renamer, published)
	if again := c.must(t, "git", "diff"); again != changed {
		t.Error("renaming to the same path again has changed files")
	}
	if out := c.must(t, "gofmt", "-l", "build", "cmd", "compose", "inspect", "registry"); out != "" {
		t.Errorf("gofmt would change: %s", out)
	}
	c.publish(t)
	c.consume(t)
}

// TestModuleInstall installs the command from such a GOPROXY, which compiles this module again.
func TestModuleInstall(t *testing.T) {
	t.Parallel()
	testparts.Need(t, testparts.Slow)
	if os.Getenv("MTOOL_TEST_FULL") == "" {
		t.Skip("compiling takes minutes; make long does it, with MTOOL_TEST_FULL=1")
	}
	c := newModuleCopy(t)
	c.must(t, c.renamer, published)
	c.must(t, "go", "vet", "./...")
	c.publish(t)
	c.install(t)
}

// moduleCopy is a committed copy of the checkout, with an environment in which the go command downloads nothing.
type moduleCopy struct {
	dir, proxy, bin, renamer string
	env                      []string
}

func newModuleCopy(t *testing.T) *moduleCopy {
	t.Helper()
	c := &moduleCopy{dir: t.TempDir(), proxy: t.TempDir(), bin: t.TempDir()}
	copied := exec.CommandContext(t.Context(), "sh", "-c",
		`git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"`, c.dir)
	copied.Dir = filepath.Join("..", "..")
	if out, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copying the checkout: %v: %s", err, out)
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	c.env = append(os.Environ(), "GOPROXY=file://"+c.proxy, "GOSUMDB=off", "GOBIN="+c.bin, "CGO_ENABLED=0",
		"GOFLAGS=-trimpath -tags=grpcnotrace -ldflags=-w", "GOMODCACHE="+borrowModules(t, strings.TrimSpace(string(cache))))
	c.must(t, "git", "init", "--quiet")
	c.must(t, "git", "add", ".")
	c.must(t, "git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=copy")
	c.renamer = filepath.Join(c.bin, "module")
	c.must(t, "go", "build", "-o", c.renamer, "./testdata/module")
	return c
}

// borrowModules returns a module cache with the content of the other one. It is deleted when the test ends.
func borrowModules(t *testing.T, other string) string {
	t.Helper()
	cache := t.TempDir()
	for _, dir := range []string{".", "cache", "cache/download", "cache/download/github.com", "github.com"} {
		if err := os.MkdirAll(filepath.Join(cache, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(other, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.Join(dir, e.Name())
			if name == "cache" || name == "github.com" || name == "cache/download" || name == "cache/download/github.com" {
				continue
			}
			if err := os.Symlink(filepath.Join(other, name), filepath.Join(cache, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cache
}

// run runs a command in the copy.
func (c *moduleCopy) run(t *testing.T, name string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	body, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(body), cmd.ProcessState.ExitCode()
}

func (c *moduleCopy) must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, code := c.run(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %q: exit code %d: %s", name, args, code, out)
	}
	return out
}

func (c *moduleCopy) write(t *testing.T, name, body string) {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(body), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// publish writes v0.0.1 of the copy as the files of a module proxy: https://go.dev/ref/mod#goproxy-protocol.
func (c *moduleCopy) publish(t *testing.T) {
	t.Helper()
	dir := filepath.Join(c.proxy, published, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Create(filepath.Join(dir, "v0.0.1.zip"))
	if err == nil {
		err = errors.Join(zip.CreateFromDir(archive, module.Version{Path: published, Version: "v0.0.1"}, c.dir),
			archive.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	c.must(t, "cp", "go.mod", filepath.Join(dir, "v0.0.1.mod"))
	for name, body := range map[string]string{"list": "v0.0.1\n", "v0.0.1.info": `{"Version": "v0.0.1"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *moduleCopy) install(t *testing.T) {
	t.Helper()
	c.must(t, "go", "install", published+"/cmd/mtool@v0.0.1")
	if out := c.must(t, filepath.Join(c.bin, "mtool"), "version"); !strings.Contains(out, "0.0.1") {
		t.Errorf("mtool version prints %s", out)
	}
	if out := c.must(t, filepath.Join(c.bin, "mtool"), "help", "ci-github"); !strings.Contains(out,
		"uses: you/mtool@main") {
		t.Errorf("its workflow uses another mtool:\n%s", out)
	}
}

// consumer is a program that imports this module.
const consumer = `package main

import (
	"fmt"

	"github.com/you/mtool/compose"
	"github.com/you/mtool/inspect/platform"
)

func main() {
	p, err := platform.Parse("aarch64")
	fmt.Println(platform.Format(p), len(compose.List{}.Entries), err)
}
`

func (c *moduleCopy) consume(t *testing.T) {
	t.Helper()
	c.dir = t.TempDir()
	c.write(t, "main.go", consumer)
	c.write(t, "go.mod", "module example.com/consumer\n\ngo 1.26\n\nrequire "+published+" v0.0.1\n")
	if out := c.must(t, "go", "run", "-mod=mod", "."); !strings.HasSuffix(out, "linux/arm64 0 <nil>\n") {
		t.Errorf("the program prints %q", out)
	}
}
