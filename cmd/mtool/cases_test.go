package main_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestCases holds testdata/cases.md: every case is in the first table once, and its place exists.
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
		if place := strings.TrimSuffix(strings.TrimSpace(cells[3]), " |"); !showsCase(t, cells[2], place) {
			t.Errorf("%s does not hold %q", cells[2], place)
		}
	}
	if pair("# A place\nexits 3 mtool inspect --deep liar\n\n# Another\nexec mtool inspect --deep twin\n", "# A place") {
		t.Error("a liar without a twin is said to be a pair")
	}
	for n := 1; n <= cases; n++ {
		if seen[n] != 1 {
			t.Errorf("case %d is in the table %d times", n, seen[n])
		}
	}
	if holds(t, "deep-lists", "no such place") {
		t.Error("every place is said to be real")
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

// showsCase: a place that is a comment of a script has a liar and a twin, any other is there.
func showsCase(t *testing.T, name, place string) bool {
	t.Helper()
	if !strings.HasPrefix(place, "# ") {
		return holds(t, name, place)
	}
	body, err := os.ReadFile(filepath.Join("..", "..", "testdata", "script", name+".txtar"))
	if err != nil {
		t.Error(err)
	}
	return pair(string(body), place)
}

// pair reports whether what follows a comment of a script, as far as the next one that begins a paragraph, has a liar
// that fails and a twin that passes.
func pair(script, comment string) bool {
	_, section, ok := strings.Cut(script, comment)
	section, _, _ = strings.Cut(section, "\n\n# ")
	return ok && strings.Contains(section, "exits 3 mtool ") &&
		(strings.Contains(section, "\nexec mtool inspect ") || strings.Contains(section, "\nexec mtool create "))
}
