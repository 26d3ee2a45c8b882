package main_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCases checks testdata/cases.md: every case is in the first table once, and the script or test that it names
// exists.
func TestCases(t *testing.T) {
	t.Parallel()
	const cases = 55
	body, err := os.ReadFile("../../testdata/cases.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	for line := range strings.Lines(string(body)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !strings.ContainsAny(line[:min(3, len(line))], "0123456789") {
			continue
		}
		for word := range strings.FieldsSeq(strings.TrimPrefix(cells[0], "| ")) {
			n, err := strconv.Atoi(word)
			if err != nil {
				t.Errorf("case %q: %v", word, err)
			}
			seen[n]++
		}
		if text := strings.TrimSuffix(strings.TrimSpace(cells[3]), " |"); !showsCase(t, cells[2], text) {
			t.Errorf("%s does not contain %q", cells[2], text)
		}
	}
	if pair("# One\nexits 3 mtool inspect --deep liar\n\n# Another\nexec mtool inspect --deep twin\n", "# One") {
		t.Error("a liar without a twin counts as a pair")
	}
	for n := 1; n <= cases; n++ {
		if seen[n] != 1 {
			t.Errorf("case %d is in the table %d times", n, seen[n])
		}
	}
	if holds(t, "deep-lists", "no such text") {
		t.Error("a text that is not in the script is found")
	}
}

// holds reports whether a script, or a file of the repository, has the text.
func holds(t *testing.T, name, text string) bool {
	t.Helper()
	if !strings.Contains(name, "/") {
		name = filepath.Join("testdata", "script", name+".txtar")
	}
	body, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Error(err)
	}
	return strings.Contains(string(body), text)
}

// showsCase reports whether a file shows a case: a text that begins with # is a comment of a script, which a liar and a
// twin must follow; any other text must be in the file.
func showsCase(t *testing.T, name, text string) bool {
	t.Helper()
	if !strings.HasPrefix(text, "# ") {
		return holds(t, name, text)
	}
	body, err := os.ReadFile(filepath.Join("..", "..", "testdata", "script", name+".txtar"))
	if err != nil {
		t.Error(err)
	}
	return pair(string(body), text)
}

// pair reports whether the paragraph below a comment of a script has a liar, which fails, and a twin, which passes.
func pair(script, comment string) bool {
	_, section, ok := strings.Cut(script, comment)
	section, _, _ = strings.Cut(section, "\n\n# ")
	return ok && strings.Contains(section, "exits 3 mtool ") &&
		(strings.Contains(section, "\nexec mtool inspect ") || strings.Contains(section, "\nexec mtool create "))
}
