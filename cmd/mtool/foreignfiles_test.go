package main_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"mtool/inspect"
	"mtool/inspect/deep"
)

// TestForeignFiles compares the three tables of files that may be for another machine: the code, mtool help
// foreign-files, and the script that shows each row with a twin and a liar.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	wrapped, err := exec.CommandContext(t.Context(), "mtool", "help", "foreign-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.ReplaceAll(string(wrapped), "\n         ", " ")
	script, err := os.ReadFile("../../testdata/script/deep-foreign.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range foreignTable(printed, string(script)) {
		t.Error(wrong)
	}
	for name, liar := range map[string][2]string{
		"a row that help does not print": {
			strings.Replace(printed, "\nfirmware: note\n", "\nhardware: note\n", 1),
			string(script),
		},
		"another reason": {
			strings.Replace(printed, "which nothing starts", "which something starts", 1),
			string(script),
		},
		"a milder rule":  {strings.Replace(printed, "\nstray: error\n", "\nstray: warning\n", 1), string(script)},
		"a row too many": {printed + "more\n  what:  it\n  why:   so\n", string(script)},
		"a row without a liar": {
			printed,
			strings.Replace(string(script), "src/debug/elf/data/gcc-amd64-exec amd64'\nexits 3", "'\nexec", 1),
		},
		"a row without its place": {printed, strings.Replace(string(script), "# emulator: ", "# emulators ", 1)},
	} {
		if len(foreignTable(liar[0], liar[1])) == 0 {
			t.Errorf("%s passes", name)
		}
	}
}

// foreignTable lists what is wrong with the printed table and with the script.
func foreignTable(printed, script string) (wrong []string) {
	_, table, _ := strings.Cut(printed, "\n\n")
	var want []string
	for _, r := range deep.Rules() {
		word := map[inspect.State]string{inspect.Note: "note", inspect.Warning: "warning", inspect.Mismatch: "error"}[r.State]
		if r.Quiet {
			word = "silent"
		}
		want = append(want, r.Name+": "+word, "  what:  "+r.Covers, "  why:   "+r.Reason)
		if !pair(script, "# "+r.Name+": ") {
			wrong = append(wrong, "the script has no twin and liar of "+r.Name)
		}
	}
	got := strings.Split(strings.TrimSpace(table), "\n")
	if !slices.Equal(got, want) {
		wrong = append(wrong, "the code has\n"+strings.Join(want, "\n")+"\nand the help\n"+table)
	}
	return wrong
}
