package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// can KIND ABILITY[,ABILITY] COMMAND…: a worker of that kind has these abilities. The command, which must succeed,
// proves it.
func cmdCan(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: can KIND ABILITY[,ABILITY] COMMAND...")
	}
	cmdExits(ts, false, append([]string{"0"}, args[2:]...))
}

// cannot KIND ABILITY CODE COMMAND…: a worker of that kind lacks the ability. The command must exit with that code.
func cmdCannot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || args[2] == "0" {
		ts.Fatalf("usage: cannot KIND ABILITY CODE COMMAND...")
	}
	cmdExits(ts, false, args[2:])
}

// cell is a cell in the table of workers: an ability and a kind of worker.
type cell struct{ ability, kind string }

// shown returns the cells that the lines "can" (true) and "cannot" (false) of the scripts prove.
func shown(script string) map[cell]bool {
	proved := map[cell]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(can|cannot) (\S+) (\S+) `).FindAllStringSubmatch(script, -1) {
		for ability := range strings.SplitSeq(m[3], ",") {
			proved[cell{ability, m[2]}] = m[1] == "can"
		}
	}
	return proved
}

// stated returns the cells of the table in text whose first column is called "worker"; "yes" is true. A note may
// follow.
func stated(text string) map[cell]bool {
	table := map[cell]bool{}
	_, after, _ := strings.Cut(text, "\n| worker |")
	lines := strings.Split(after, "\n")
	kinds := columns(lines[0])
	for _, line := range lines[min(2, len(lines)):] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		row := columns(line)
		for i, answer := range row[1:] {
			word, _, _ := strings.Cut(answer, " ")
			if word == "yes" || word == "no" {
				table[cell{ability: row[0], kind: kinds[i]}] = word == "yes"
			}
		}
	}
	return table
}

// columns returns the cells of a line of a table, without backquotes.
func columns(line string) (all []string) {
	for word := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
		all = append(all, strings.ReplaceAll(strings.TrimSpace(word), "`", ""))
	}
	return all
}

// differences returns the cells that differ between table and scripts, sorted.
func differences(table, proved map[cell]bool) (all []string) {
	for c, yes := range table {
		if real, ok := proved[c]; !ok || real != yes {
			all = append(all, fmt.Sprintf("the table says %s: %v on %s; a script proves an answer: %v", c.ability, yes, c.kind, ok))
		}
	}
	for c := range proved {
		if _, ok := table[c]; !ok {
			all = append(all, fmt.Sprintf("a script proves %s on %s, but the table has no such cell", c.ability, c.kind))
		}
	}
	slices.Sort(all)
	return all
}

// TestWorkerTable compares testdata/workers.md with the scripts: a script must prove each cell, and the table must have
// each cell that a script proves.
func TestWorkerTable(t *testing.T) {
	t.Parallel()
	var scripts strings.Builder
	for _, pattern := range []string{"*.txtar", "*/*.txtar"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "integration", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			scripts.Write(body)
		}
	}
	table := stated(document(t, "testdata/workers.md"))
	if len(table) == 0 {
		t.Fatal("testdata/workers.md has no table of workers")
	}
	for _, d := range differences(table, shown(scripts.String())) {
		t.Error(d)
	}
}

// A table that claims more, less or the opposite of what the scripts prove is found.
func TestWorkerTableLiar(t *testing.T) {
	t.Parallel()
	const script = "can ssh RUN,epoch mtool build\ncannot ssh caches 9 mtool build\n"
	for text, want := range map[string]int{
		"\n| worker | ssh |\n|---|---|\n| RUN | yes |\n| `epoch` | yes |\n| caches | no |\n":               0,
		"\n| worker | ssh |\n|---|---|\n| RUN | yes |\n| epoch | yes |\n| caches | yes |\n":                1,
		"\n| worker | ssh |\n|---|---|\n| RUN | no |\n| epoch | yes (a note) |\n| caches | no |\n":         1,
		"\n| worker | ssh |\n|---|---|\n| RUN | yes |\n| epoch | yes |\n":                                  1,
		"\n| worker | ssh | tcp |\n|---|---|---|\n| RUN | yes | yes |\n| epoch | yes |\n| caches | no |\n": 1,
	} {
		if got := differences(stated(text), shown(script)); len(got) != want {
			t.Errorf("%s\ngot %q, want %d", text, got, want)
		}
	}
}
