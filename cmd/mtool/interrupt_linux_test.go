package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mtool/cmd/internal/faults"

	"golang.org/x/sys/unix"
)

// stuck is a command that waits forever in a call that no context ends. prepare returns a function that reports whether
// it waits.
type stuck struct {
	line    string
	files   map[string]string
	prepare func(t *testing.T, dir string, cmd *exec.Cmd) (waits func() bool)
}

func stuckCommands() map[string]stuck {
	return map[string]stuck{
		"a password that never ends": {
			line: "login -u x --password-stdin 127.0.0.1:1",
			prepare: func(t *testing.T, _ string, cmd *exec.Cmd) func() bool {
				r, w := pipe(t)
				cmd.Stdin = r
				if _, err := w.WriteString("start"); err != nil {
					t.Fatal(err)
				}
				return func() bool { return unread(t, r) == 0 }
			},
		},
		"output that is not read": {
			line: "completion bash",
			prepare: func(t *testing.T, _ string, cmd *exec.Cmd) func() bool {
				r, w := pipe(t)
				if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
					t.Fatal(err)
				}
				cmd.Stdout = w
				return func() bool { return unread(t, r) > 0 }
			},
		},
		"a credential helper that ignores signals, and its child": {
			line: "auth check 127.0.0.1:1/demo",
			files: map[string]string{
				"config.json":             `{"credsStore": "stuck"}`,
				"docker-credential-stuck": "#!/bin/sh\ntrap '' INT TERM\n: >$0.began\nsleep 600\n",
			},
			prepare: func(_ *testing.T, dir string, _ *exec.Cmd) func() bool {
				return func() bool {
					_, err := os.Stat(filepath.Join(dir, "docker-credential-stuck.began"))
					return err == nil
				}
			},
		},
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

// unread returns how many bytes wait in a pipe.
func unread(t *testing.T, f *os.File) int {
	t.Helper()
	n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCINQ)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStuck checks that --timeout and a second signal end mtool in any call. The test's own time limits are for an
// mtool that hangs.
func TestStuck(t *testing.T) {
	t.Parallel()
	mtool := faults.Program(t)
	for name, s := range stuckCommands() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, _, stderr := s.start(t, mtool, "--timeout", "1s")
			if code := ended(t, cmd); code != 6 || !strings.Contains(stderr(), "the limit of --timeout") {
				t.Errorf("--timeout: exit code %d: %s", code, stderr())
			}
			cmd, waits, stderr := s.start(t, mtool)
			if !eventually(waits) {
				t.Fatalf("it never waits: %s", stderr())
			}
			_ = cmd.Process.Signal(os.Interrupt) // the first signal may already end it
			time.Sleep(100 * time.Millisecond)
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if code := ended(t, cmd); code != interrupted {
				t.Errorf("two signals: exit code %d: %s", code, stderr())
			}
		})
	}
}

func (s stuck) start(
	t *testing.T, mtool string, flags ...string,
) (cmd *exec.Cmd, waits func() bool, stderr func() string) {
	t.Helper()
	dir := t.TempDir()
	for file, text := range s.files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd = exec.CommandContext(t.Context(), mtool, append(flags, strings.Fields(s.line)...)...)
	cmd.Env = append(os.Environ(), "MTOOL_HOME="+dir, "HOME="+dir, "DOCKER_CONFIG="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
	log := filepath.Join(dir, "log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stderr = f
	waits = s.prepare(t, dir, cmd)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // with its children
	return cmd, waits, func() string {
		text, _ := os.ReadFile(log)
		return string(text)
	}
}

// ended waits for the command and returns its exit code, or -1 after a signal.
func ended(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ProcessState has the result
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(45 * time.Second):
		_ = cmd.Process.Kill()
		<-done
		t.Error("it had to be killed")
	}
	return cmd.ProcessState.ExitCode()
}
