package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest   = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*|[\\w-]+\\.txtar)`")
	definedTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)
)

// TestSecurityTable: each row of SECURITY.md that defends something names a test, and every test that is named exists.
func TestSecurityTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", ".github", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := allTests(t)
	rows, missing := untested(string(text), known)
	if rows < 10 || len(missing) > 0 {
		t.Errorf("%d rows; without a test that exists: %q", rows, missing)
	}
	liar := "| a | b | c | `TestNobodyWrote` |\n| a | b | c | `nobody-wrote.txtar` `TestKill` |\n| a | b | c | none |\n"
	if rows, missing := untested(liar, known); rows != 3 || len(missing) != 3 {
		t.Errorf("of three liars %d rows with %q are seen", rows, missing)
	}
}

// untested counts the rows of the table, and lists what is named and does not exist, or the row that names nothing.
func untested(text string, known map[string]bool) (rows int, missing []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| asset") {
			continue
		}
		rows++
		names := namedTest.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			missing = append(missing, line)
		}
		for _, name := range names {
			if !known[name[1]] {
				missing = append(missing, name[1])
			}
		}
	}
	return rows, missing
}

// allTests are the names of all test functions and scripts of the module.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{range .TestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}`, "./...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for file := range strings.FieldsSeq(string(out)) {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range definedTest.FindAllStringSubmatch(string(body), -1) {
			known[m[1]] = true
		}
	}
	err = filepath.WalkDir(filepath.Join("..", "..", "testdata"), func(file string, _ fs.DirEntry, err error) error {
		known[filepath.Base(file)] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
