package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"mtool/cmd/internal/faults"
	"mtool/registry/registrytest"
)

// TestCrashLeavesNoMemory sends signals to mtool login that make Go dump core if the limit allows it. mtool must leave
// no core file; the liar, a shell with the same limit, leaves one.
func TestCrashLeavesNoMemory(t *testing.T) {
	t.Parallel()
	mtool, dir := faults.Program(t), t.TempDir()
	s := registrytest.New(t, registrytest.Options{Username: "bob", Password: faults.Canary, Token: true})
	s.Fault(registrytest.Fault{Path: "/token", Hang: true, Times: -1})
	for name, signal := range map[string]syscall.Signal{
		"quit": syscall.SIGQUIT, "abort": syscall.SIGABRT,
		"fault": syscall.SIGSEGV,
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c",
			"ulimit -c unlimited && exec "+mtool+" login "+s.Host()+" -u bob --password-stdin")
		var out bytes.Buffer
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(faults.Canary), &out, &out
		cmd.Env = append(os.Environ(), "GOTRACEBACK=crash", "HOME="+dir, "DOCKER_CONFIG="+dir)
		struck := s.FaultCount()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !eventually(func() bool { return s.FaultCount() > struck }) {
			t.Errorf("%s: no token was requested", name)
		}
		limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", cmd.Process.Pid))
		if want := regexp.MustCompile(`Max core file size +1 +unlimited `); err != nil || !want.Match(limits) {
			t.Errorf("%s: %v:\n%s", name, err, limits)
		}
		_ = cmd.Process.Signal(signal)
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGABRT {
			t.Errorf("%s: it ended with %v:\n%.2000s", name, err, &out)
		}
		for _, secret := range []string{faults.Canary, base64.StdEncoding.EncodeToString([]byte("bob:" + faults.Canary))} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: the secret is in the output", name)
			}
		}
	}
	if left := faults.FilesIn(t, dir)[1:]; len(left) > 0 { // the first is the directory
		t.Errorf("left behind: %q", left)
	}
	if pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern"); err != nil ||
		!bytes.HasPrefix(pattern, []byte("core")) {
		t.Logf("this machine sends cores to %q (%v): only the limit was checked", pattern, err)
		return
	}
	liar := exec.CommandContext(t.Context(), "sh", "-c", "ulimit -c unlimited && kill -ABRT $$")
	liar.Dir = dir
	if err := liar.Run(); err == nil || len(faults.FilesIn(t, dir)) != 2 {
		t.Errorf("a shell that crashed: %v, %q", err, faults.FilesIn(t, dir))
	}
}
