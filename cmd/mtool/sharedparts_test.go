package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mtool/cmd/internal/testparts"
)

// partTB is the testing.TB of a part that scripts share. Directories and cleanup belong to the test of all scripts, but
// a part that does not start fails only the script that needs it.
type partTB struct {
	testing.TB
	script *testscript.TestScript
}

func (p partTB) Fatal(args ...any)                 { p.script.Fatalf("%s", fmt.Sprint(args...)) }
func (p partTB) Fatalf(format string, args ...any) { p.script.Fatalf(format, args...) }
func (p partTB) FailNow()                          { p.script.Fatalf("a part did not start") }

// Skip fails: a script must state in its conditions what it needs, so no part should skip here.
func (p partTB) Skip(args ...any)                 { p.Fatal(args...) }
func (p partTB) Skipf(format string, args ...any) { p.Fatalf(format, args...) }
func (p partTB) SkipNow()                         { p.FailNow() }

// TestFailedPart checks that a part that does not start fails only the script that needs it.
func TestFailedPart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, script := range map[string]string{
		"asks": "part\nexec true\n", "skips": "skipped\nexec true\n",
		"other": "exec true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".txtar"), []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var seen verdicts
	testscript.RunT(&seen, testscript.Params{Dir: dir, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"part": func(ts *testscript.TestScript, _ bool, _ []string) {
			testparts.Program(partTB{t, ts}, "no-such-program")
		},
		"skipped": func(ts *testscript.TestScript, _ bool, _ []string) { partTB{t, ts}.Skipf("it is missing") },
	}})
	slices.Sort(seen.failed)
	if !slices.Equal(seen.failed, []string{"asks", "skips"}) || !slices.Equal(seen.passed, []string{"other"}) {
		t.Errorf("failed: %q, passed: %q", seen.failed, seen.passed)
	}
}

// verdicts is a testscript.T that records how each script ended.
type verdicts struct {
	failed, passed []string
	bad            bool
}

func (v *verdicts) Skip(...any)   { runtime.Goexit() }
func (v *verdicts) Fatal(...any)  { v.FailNow() }
func (v *verdicts) Parallel()     {}
func (v *verdicts) Log(...any)    {}
func (v *verdicts) Verbose() bool { return false }

func (v *verdicts) FailNow() {
	v.bad = true
	runtime.Goexit()
}

func (v *verdicts) Run(name string, script func(testscript.T)) {
	one := &verdicts{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		script(one)
	}()
	<-done
	if one.bad {
		v.failed = append(v.failed, name)
		return
	}
	v.passed = append(v.passed, name)
}
