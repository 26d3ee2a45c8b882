package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestDocuments checks that every path and every name of the code that ARCHITECTURE.md and CONTRIBUTING.md mention
// exists.
func TestDocuments(t *testing.T) {
	t.Parallel()
	code := sources(t)
	for _, name := range []string{"ARCHITECTURE.md", "CONTRIBUTING.md"} {
		for _, wrong := range untrue(document(t, name), code) {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	for liar, want := range map[string]int{
		"`registry/nowhere`": 1, "`inspect.Reed`": 1, "`compose.List.Ad`": 1,
		"`registry/remote`, `inspect.Read`, compose.List.Add": 0,
		"`github.com/you/inspect/x` and `v1.Hash`":            0,
	} {
		if got := untrue(liar, code); len(got) != want {
			t.Errorf("%s: got %q, want %d", liar, got, want)
		}
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// sources returns the source code of each package without its tests, by the name of the package.
func sources(t *testing.T) map[string]string {
	t.Helper()
	code := map[string]string{}
	for _, pattern := range []string{"*", "*/*", "*/*/*"} {
		files, err := filepath.Glob(filepath.Join("..", "..", pattern, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(file, "_test.go") {
				code[filepath.Base(filepath.Dir(file))] += string(body)
			}
		}
	}
	return code
}

var (
	pathIn = regexp.MustCompile(
		`(?:^|[^\w/.-])((?:build|cmd|compose|inspect|registry|testdata|\.github)(?:/[a-zA-Z0-9_-]+)+(?:\.[a-z]+)?)`)
	nameIn = regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
)

// untrue lists the paths and names in text that do not exist.
func untrue(text string, code map[string]string) (wrong []string) {
	for _, m := range pathIn.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", m[1])); err != nil {
			wrong = append(wrong, m[1]+" does not exist")
		}
	}
	for _, m := range nameIn.FindAllStringSubmatch(text, -1) {
		source, known := code[m[1]]
		if known && !declares(source, m[2], m[3]) {
			wrong = append(wrong, m[0]+" does not exist")
		}
	}
	return wrong
}

// declares reports whether the source declares the name at top level and, unless method is "", that method of it.
func declares(source, name, method string) bool {
	if method != "" {
		return regexp.MustCompile(`(?m)^func \(\w+ \*?` + name + `\) ` + method + `\(`).MatchString(source)
	}
	return regexp.MustCompile(`(?m)^(func|type|var|const|\t) ?` + name + `\b`).MatchString(source)
}

// TestTopLevel allows only these files and directories at the root of the repository. Other community files belong in
// .github, longer texts in help topics and package documentation.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	allowed := strings.Fields(`build cmd compose inspect registry testdata go.mod go.sum Makefile LICENSE README.md README.zh-CN.md
		ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md action.yml install.sh`)
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = filepath.Join("..", "..")
	files, err := cmd.Output()
	if err != nil {
		t.Skipf("not a Git clone: %v", err)
	}
	seen := map[string]bool{}
	for file := range strings.SplitSeq(strings.TrimSpace(string(files)), "\n") {
		name, _, _ := strings.Cut(file, "/")
		if !seen[name] && !strings.HasPrefix(name, ".") && !slices.Contains(allowed, name) {
			t.Errorf("%s does not belong at the root of the repository", name)
		}
		seen[name] = true
	}
}

// TestDependencies checks that ARCHITECTURE.md lists the direct dependencies of go.mod.
func TestDependencies(t *testing.T) {
	t.Parallel()
	file, err := modfile.Parse("go.mod", []byte(document(t, "go.mod")), nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range file.Require {
		if !r.Indirect {
			want = append(want, r.Mod.Path)
		}
	}
	var got []string
	_, table, _ := strings.Cut(document(t, "ARCHITECTURE.md"), "\n## Dependencies\n")
	for _, row := range regexp.MustCompile(`(?m)^\| (\S+\.\S+) \| \S.* \|$`).FindAllStringSubmatch(table, -1) {
		got = append(got, row[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("ARCHITECTURE.md lists\n%s\ngo.mod requires\n%s", fmt.Sprint(got), fmt.Sprint(want))
	}
}
