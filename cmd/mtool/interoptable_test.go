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

// Lines of the scripts that prove cells of testdata/interop.md. TOOL is a program that is not ours, and a place is
// where a list is: registry, layout, archive, dir, or docker-archive for one image. $LIST is the digest of a list of
// linux/amd64 and linux/arm64 that mtool wrote in every place.
//
//	passes TOOL FROM TO REF COMMAND…
//
// The command copies that list to REF: mtool then finds the same digest there.
//
//	writes TOOL TO PLATFORMS REF COMMAND…
//
// The command makes an image or a list at REF: it has exactly these platforms, and mtool copies it.
//
//	reads TOOL FROM WANT COMMAND…
//
// The command prints WANT after it has read what mtool wrote.
const interopLine = `(?m)^(passes|writes|reads) (\S+) (\S+) (\S+) (\S+) (.*)$`

// passes: see interopLine.
func cmdPasses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: passes TOOL FROM TO REF COMMAND...")
	}
	ts.Check(ts.Exec(args[4], args[5:]...))
	ts.Check(ts.Exec("mtool", "inspect", "--exact", "--require", "linux/amd64,linux/arm64", "--format", "{{.Digest}}", args[3]))
	if got := strings.TrimSpace(ts.ReadFile("stdout")); got != ts.Getenv("LIST") || got == "" {
		ts.Fatalf("%s passed a list on as %q, and it was %q", args[0], got, ts.Getenv("LIST"))
	}
}

// writes: see interopLine.
func cmdWrites(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: writes TOOL TO PLATFORMS REF COMMAND...")
	}
	ts.Check(ts.Exec(args[4], args[5:]...))
	ts.Check(ts.Exec("mtool", "inspect", "--exact", "--require", args[2], "--format", "{{.Digest}}", args[3]))
	want := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Check(ts.Exec("mtool", "copy", args[3], fmt.Sprintf("oci:copied-%s-%s:v1", args[0], args[1])))
	if _, got, _ := strings.Cut(strings.TrimSpace(ts.ReadFile("stdout")), "@"); got != want || got == "" {
		ts.Fatalf("the copy is %q, and %s wrote %q", got, args[0], want)
	}
}

// reads: see interopLine.
func cmdReads(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: reads TOOL FROM WANT COMMAND...")
	}
	ts.Check(ts.Exec(args[3], args[4:]...))
	if got := ts.ReadFile("stdout"); args[2] == "" || !strings.Contains(got, args[2]) {
		ts.Fatalf("%s does not print %q: %s", args[0], args[2], got)
	}
}

// interopCell is a tool, a place, and a direction: whether the tool reads there what mtool wrote.
type interopCell struct {
	tool, place string
	reads       bool
}

// interopProofs returns the commands of the cells that a script proves, each once.
func interopProofs(script string, proofs map[interopCell][]string) {
	add := func(c interopCell, command string) {
		command = strings.TrimPrefix(command, "sh show.sh ")
		command = strings.Trim(strings.TrimPrefix(command, "sh -c "), "'")
		if !slices.Contains(proofs[c], command) {
			proofs[c] = append(proofs[c], command)
		}
	}
	for _, m := range regexp.MustCompile(interopLine).FindAllStringSubmatch(script, -1) {
		switch kind, tool, place := m[1], m[2], m[3]; kind {
		case "passes":
			add(interopCell{tool, place, true}, m[6])
			add(interopCell{tool, m[4], false}, m[6])
		case "writes":
			add(interopCell{tool, place, false}, m[6])
		case "reads":
			add(interopCell{tool, place, true}, m[5]+" "+m[6])
		}
	}
}

// interopTable returns the table of these proofs, in Markdown.
func interopTable(proofs map[interopCell][]string) string {
	rows := map[string]bool{}
	for c := range proofs {
		rows[c.tool+" | "+c.place] = true
	}
	names := make([]string, 0, len(rows))
	for row := range rows {
		names = append(names, row)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| tool | place | mtool reads what this writes | this reads what mtool writes |\n|---|---|---|---|\n")
	for _, row := range names {
		tool, place, _ := strings.Cut(row, " | ")
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row,
			interopCommands(proofs[interopCell{tool, place, false}]), interopCommands(proofs[interopCell{tool, place, true}]))
	}
	return b.String()
}

func interopCommands(commands []string) string {
	if len(commands) == 0 {
		return "-"
	}
	return "`" + strings.ReplaceAll(strings.Join(commands, "`<br>`"), "|", `\|`) + "`"
}

// interopTools are the tools that the table must have in both directions.
func interopTools() []string {
	return strings.Fields("buildah buildctl buildx crane cosign docker-20.10 docker-28 docker-29 ko oras podman regctl skopeo")
}

// TestInteropTable compares testdata/interop.md with the table that the scripts prove. MTOOL_UPDATE_SCRIPTS writes it.
func TestInteropTable(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join("..", "..", "testdata", "integration", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	proofs := map[interopCell][]string{}
	for _, file := range scripts {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		interopProofs(string(body), proofs)
	}
	for _, lack := range interopLacks(proofs, interopTools()) {
		t.Error(lack)
	}
	head, old, found := strings.Cut(document(t, "testdata/interop.md"), "| tool |")
	table := interopTable(proofs)
	switch {
	case !found:
		t.Fatal("testdata/interop.md has no table")
	case os.Getenv("MTOOL_UPDATE_SCRIPTS") != "":
		if err := os.WriteFile(filepath.Join("..", "..", "testdata", "interop.md"), []byte(head+table), 0o644); err != nil {
			t.Fatal(err)
		}
	case "| tool |"+old != table:
		t.Errorf("testdata/interop.md is not what the scripts prove; MTOOL_UPDATE_SCRIPTS=1 writes it. Want:\n%s", table)
	}
}

// interopLacks names each of the tools that the proofs don't have in both directions.
func interopLacks(proofs map[interopCell][]string, tools []string) (lacks []string) {
	for _, tool := range tools {
		for word, reads := range map[string]bool{"reads": true, "writes": false} {
			has := false
			for c := range proofs {
				has = has || c.tool == tool && c.reads == reads
			}
			if !has {
				lacks = append(lacks, fmt.Sprintf("no script shows that %s %s", tool, word))
			}
		}
	}
	slices.Sort(lacks)
	return lacks
}

// A line that proves another cell, or none, changes the table; a tool without a proof is named.
func TestInteropTableLiar(t *testing.T) {
	t.Parallel()
	table := func(script string) (string, []string) {
		proofs := map[interopCell][]string{}
		interopProofs(script, proofs)
		return interopTable(proofs), interopLacks(proofs, []string{"a"})
	}
	const script = "passes a registry layout oci:x sh -c 'a cp | b'\nwrites a dir linux/arm64 dir:x a w\nreads a dir $LIST a r x\n"
	whole, lacks := table(script)
	for _, row := range []string{"| a | registry | - | `a cp \\| b` |", "| a | layout | `a cp \\| b` | - |", "| a | dir | `a w` | `a r x` |"} {
		if !strings.Contains(whole, row+"\n") {
			t.Errorf("no row %q in:\n%s", row, whole)
		}
	}
	if len(lacks) > 0 {
		t.Error(lacks)
	}
	for part := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		if other, _ := table(strings.Replace(script, part, "# "+part, 1)); other == whole {
			t.Errorf("without %q the table is the same", part)
		}
	}
	if _, lacks := table("reads a dir x a r\n"); !slices.Equal(lacks, []string{"no script shows that a writes"}) {
		t.Errorf("lacks are %q", lacks)
	}
}
