package emulator

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func TestExecutes(t *testing.T) {
	t.Parallel()
	if !executes(runtime.GOARCH) {
		t.Error("programs of this test's own architecture are not native")
	}
	narrow := Narrow(runtime.GOARCH)
	for arch := range tellers() {
		if arch != runtime.GOARCH && arch != narrow && executes(arch) {
			t.Errorf("%s is native", arch)
		}
	}
	if executes("vax") {
		t.Error("an architecture without a program is native")
	}
	if narrow == "" {
		return
	}
	if _, ok := Serving(ReadEntries(Dir), emulators()[narrow]); ok {
		t.Skip("this machine's binfmt_misc has an emulator for " + narrow)
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, Program(narrow), 0o755); err != nil {
		t.Fatal(err)
	}
	err := exec.Command(path).Run()
	exit, ran := errors.AsType[*exec.ExitError](err)
	if ran = ran && exit.ExitCode() == ProgramExit; executes(narrow) != ran {
		t.Errorf("%s is native: %t, but running a program: %v", narrow, !ran, err)
	}
}

// A child that starts in parallel must not inherit a program's file that is open for writing (ETXTBSY).
func TestExecutesInParallel(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if !executes(runtime.GOARCH) {
					t.Error("a run failed")
				}
			}
		})
	}
	group.Wait()
}
