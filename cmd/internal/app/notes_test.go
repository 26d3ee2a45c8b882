package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mtool/inspect"
)

// sources returns our files that could make a finding, by path, without tests.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{".", filepath.Join("..", "..", "..", "inspect")} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// unruled returns the lines that make a note without a rule, or with a rule that is not in the table.
func unruled(files map[string]string, table []inspect.Rule) (lines []string) {
	// variables, set in a line that is checked too
	rules := map[string]string{"rule": "", "r.Name": "", "n.rule": "", "d.Rule": ""}
	constant := regexp.MustCompile(`(?m)^(?:const)?\s*([rR]ule\w+)\s+= "(.*)"$`)
	for _, text := range files {
		for _, m := range constant.FindAllStringSubmatch(text, -1) {
			rules[m[1]] = m[2]
		}
	}
	call, state := regexp.MustCompile(`\.Note\((?:(?:inspect|deep)\.)?(r\.Name|n\.rule|[rR]ule\w*|[^)]*)\)`),
		regexp.MustCompile(`inspect\.Note\b|\bState: +Note\b|State = Note\b`)
	for path, text := range files {
		for line := range strings.Lines(text) {
			if strings.Contains(line, "Transport.Note(") || strings.Contains(line, "o.Note(") { // notes about a transport
				continue
			}
			for _, m := range call.FindAllStringSubmatch(line, -1) {
				name, known := rules[m[1]]
				if !known || name != "" && !slices.ContainsFunc(table, func(r inspect.Rule) bool { return r.Name == name }) {
					lines = append(lines, path+": "+strings.TrimSpace(line))
				}
			}
			// a row of a table
			compared := strings.Contains(line, "==") || strings.Contains(line, "!=") || strings.Contains(line, "case ") ||
				strings.Contains(line, "Name: ")
			if state.MatchString(line) && !compared {
				lines = append(lines, path+": "+strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// Every note has a row in the table of mtool help notes.
func TestEveryNoteHasARow(t *testing.T) {
	t.Parallel()
	files := sources(t)
	if lines := unruled(files, NoteRules()); len(lines) > 0 || len(files) < 100 {
		t.Errorf("in %d files, without a row: %q", len(files), lines)
	}
	for _, liar := range []string{
		"	f := j.finding(inspect.Note)\n", "	f := Finding{State: Note}\n", "	f.State = inspect.Note\n",
		"	f = f.Note(\"x\")\n",
		"const RuleX  = \"x\"\n	f = f.Note(RuleX)\n", "	j.note(x); f.Note(inspect.RuleNone)\n",
	} {
		if unruled(map[string]string{"liar.go": liar}, NoteRules()) == nil {
			t.Errorf("%q passes", liar)
		}
	}
	names := map[string]bool{}
	for _, r := range NoteRules() {
		if names[r.Name] || r.Means == "" {
			t.Errorf("the row %+v is a duplicate or has no meaning", r)
		}
		names[r.Name] = true
	}
}
