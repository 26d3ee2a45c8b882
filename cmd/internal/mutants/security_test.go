package mutants

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var namedTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*|[\\w-]+\\.txtar)`")

// Each row of SECURITY.md names existing tests, one of which kills a mutant.
func TestSecurityRows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, ".github", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests, killers := allTests(t), map[string]bool{}
	for _, m := range mutants() {
		killers[m.killer[strings.LastIndexByte(strings.TrimSuffix(m.killer, ".txtar"), '.')+1:]] = true
	}
	rows, wrong := unproven(string(text), tests, killers)
	if rows < 10 || len(wrong) > 0 {
		t.Errorf("in %d rows: %q", rows, wrong)
	}
	liar := "| a | b | c | `TestNoSuchTest` `TestMutantsFit` |\n| a | b | c | `no-such-script.txtar` |\n| a | b | c | none |\n| a | b | c | `TestMutants` |\n"
	if rows, wrong := unproven(liar, tests, map[string]bool{"TestMutantsFit": true}); rows != 4 || len(wrong) != 5 {
		t.Errorf("in four lying rows: found %d rows with %q", rows, wrong)
	}
}

// unproven counts the rows of the table and lists missing tests and rows without a test that kills a mutant.
func unproven(text string, tests known, killers map[string]bool) (rows int, wrong []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| asset") {
			continue
		}
		rows++
		proven := false
		for _, name := range namedTest.FindAllStringSubmatch(line, -1) {
			if tests[name[1]] == nil {
				wrong = append(wrong, "there is no "+name[1])
			}
			proven = proven || killers[name[1]]
		}
		if !proven {
			wrong = append(wrong, "none of its tests kills a mutant: "+line)
		}
	}
	return rows, wrong
}
