package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFuzzScript checks testdata/fuzz.sh: every target runs, a failure ends it, and the known race at the end of the
// fuzzing engine's time is not a failure unless the output says more. A fake go command "builds" a script that prints
// the next file of the test, or succeeds when none is left.
func TestFuzzScript(t *testing.T) {
	t.Parallel()
	const raced = "fuzz: elapsed: 2s, execs: 7\n--- FAIL: FuzzOne (2.01s)\n    context deadline exceeded\nFAIL\n"
	for name, c := range map[string]struct {
		outputs []string // of the failing runs of the first target, in order
		ok      bool     // it ends without an error
		runs    int      // how often the first target runs
	}{
		"no failure": {nil, true, 1},
		"a race":     {[]string{raced}, true, 2},
		"only races": {[]string{raced, raced, raced, raced}, false, 3},
		"a finding": {
			[]string{"--- FAIL: FuzzOne (0.01s)\n    one_test.go:7: wrong\n    Failing input written to testdata/fuzz/FuzzOne/1\nFAIL\n"}, false, 1,
		},
		"a finding and a race": {
			[]string{"--- FAIL: FuzzOne (2.01s)\n    context deadline exceeded\n    one_test.go:7: wrong\nFAIL\n"}, false, 1,
		},
		"a crash":             {[]string{"panic: context deadline exceeded\n"}, false, 1},
		"it does not compile": {nil, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(file, body string) {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for i, out := range c.outputs {
				write("outputs/"+string(rune('a'+i)), out)
			}
			write("package/one_test.go",
				"func FuzzOne(f *testing.F) {\nfunc FuzzTwo(f *testing.F) {\nfunc TestThree(t *testing.T) {\n")
			write("runs", "")
			write("bin/built", "#!/bin/sh\necho \"$@\" >>"+dir+"/runs\ncase $* in *FuzzTwo*) exit ;; esac\n"+
				"for file in "+dir+"/outputs/*; do\n\t[ -e \"$file\" ] || exit 0\n\tcat \"$file\"; rm \"$file\"; exit 1\ndone\n")
			write("bin/go",
				"#!/bin/sh\ncase \"$1 $2\" in\n'list '*) echo example.com/package "+dir+"/package ;;\n'env '*) echo "+dir+
					" ;;\n'test -c') cp "+dir+"/bin/built \"$5\" ;;\n*) exit 9 ;;\nesac\n")
			if c.runs == 0 {
				write("bin/go", "#!/bin/sh\n[ $1 != list ] || echo example.com/package "+dir+"/package\n[ $1 != test ]\n")
			}
			cmd := exec.CommandContext(t.Context(), "sh", filepath.Join("..", "..", "testdata", "fuzz.sh"), "3s", "ours")
			cmd.Env = append(os.Environ(), "PATH="+dir+"/bin:"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			runs, _ := os.ReadFile(filepath.Join(dir, "runs"))
			if (err == nil) != c.ok || strings.Count(string(runs), "-test.fuzz=^FuzzOne$ -test.fuzztime=3s") != c.runs {
				t.Errorf("%v after the runs\n%s\n%s", err, runs, out)
			}
			if c.ok && !strings.Contains(string(runs), "-test.fuzz=^FuzzTwo$") {
				t.Errorf("the second target did not run:\n%s", runs)
			}
		})
	}
}
