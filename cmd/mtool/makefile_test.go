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
)

// TestMakefile checks the Makefile's list of tests for make interop: it has the tests that need more parts than make
// test sets up, and no others.
func TestMakefile(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"TestIntegration", "TestRootless"} // their scripts say what they need
	for _, file := range files {
		if file == "makefile_test.go" {
			continue // it contains a liar
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, needsMore(string(source))...)
	}
	slices.Sort(want)
	got := listed(string(makefile))
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("make interop runs %s, which make test runs too", name)
		}
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("neither make test nor make interop runs %s", name)
		}
	}
}

// listed returns the names in the Makefile's PEERTESTS.
func listed(makefile string) []string {
	_, after, _ := strings.Cut(makefile, "\nPEERTESTS := ")
	list, _, _ := strings.Cut(strings.ReplaceAll(after, "\\\n", ""), "\n")
	return strings.Fields(list)
}

// needsMore returns the tests that need a part that make test does not set up.
func needsMore(source string) (names []string) {
	const own = "testparts.QEMU testparts.Registry testparts.Unprivileged"
	for _, test := range regexp.MustCompile(`(?ms)^func (Test\w+)\(t \*testing\.T\) \{\n(.*?)^\}$`).FindAllStringSubmatch(
		source, -1) {
		for _, need := range regexp.MustCompile(`testparts\.Need\(t, (.*)\)`).FindAllStringSubmatch(test[2], -1) {
			more := slices.ContainsFunc(strings.Split(need[1], ", "),
				func(part string) bool { return !strings.Contains(own, part) })
			if more && !slices.Contains(names, test[1]) && test[1] != "TestDebootstrap" { // make long runs it
				names = append(names, test[1])
			}
		}
	}
	return names
}

func TestMakefileLiar(t *testing.T) {
	t.Parallel()
	const source = "func TestOne(t *testing.T) {\n\ttestparts.Need(t, testparts.QEMU)\n}\n\n" +
		"func TestTwo(t *testing.T) {\n\ttestparts.Need(t, testparts.QEMU, testparts.Crane)\n}\n"
	if got := needsMore(source); !slices.Equal(got, []string{"TestTwo"}) {
		t.Errorf("got %q, want TestTwo alone", got)
	}
	if got := listed("X := TestNo\nPEERTESTS := TestTwo TestThree \\\n\tTestFour\nY := TestNo\n"); !slices.Equal(got,
		[]string{"TestTwo", "TestThree", "TestFour"}) {
		t.Errorf("got %q", got)
	}
}

// TestGoIsChecked checks that deps.sh refuses a missing or old Go before any download, with a hint. An old Go that can
// download a newer one is accepted.
func TestGoIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version, toolchain, want string
		fails                    bool
	}{
		"none":        {want: "there is no Go in PATH. Go 1.", fails: true},
		"Debian 12's": {version: "go1.19.8", want: "this is Go 1.19.8, which is too old. Go 1.", fails: true},
		"too old, no download": {
			version: "go1.22.1", toolchain: "local", want: "this is Go 1.22.1, which is too old",
			fails: true,
		},
		"too old, download": {version: "go1.22.1", toolchain: "auto", want: "it downloads Go 1."},
		"new":               {version: "go1.99.0", toolchain: "local"},
		"from source":       {version: "go1.99-devel_0123abc", toolchain: "local"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.version != "" {
				fake := fmt.Sprintf("#!/bin/sh\n[ $2 = GOVERSION ] && echo '%s' || echo '%s'\n", c.version, c.toolchain)
				if err := os.WriteFile(filepath.Join(dir, "go"), []byte(fake), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, tool := range []string{"dirname", "sed", "sort", "head"} {
				path, err := exec.LookPath(tool)
				if err == nil {
					err = os.Symlink(path, filepath.Join(dir, tool))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "../../testdata/deps.sh", "go")
			cmd.Env = []string{"PATH=" + dir}
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.fails || !strings.Contains(string(out), c.want) || c.want == "" && len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
