package build_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A build that is killed or interrupted in the middle of a step leaves no process, mount or file behind.
func TestHostUnchanged(t *testing.T) {
	needs(t, "buildkit", "qemu", "root")
	for _, c := range []struct {
		name, want string
		signal     syscall.Signal
		worker     bool // send the signal to the worker, not the builder
		exit       int  // -1: killed
	}{
		{name: "killed", signal: syscall.SIGKILL, exit: -1},
		{name: "interrupted", signal: syscall.SIGINT, exit: 130},
		{name: "worker killed", signal: syscall.SIGKILL, worker: true, exit: 1, want: "the worker ended: signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := hostState(t)
			o := order{
				Home: publicDir(t),
				Context: contextDir(t, "FROM scratch\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\nRUN [\"/app\", \"sleep\"]\n",
					foreign()), Platform: foreign(),
			}
			p, out := builder(t, o, 0)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			if !soon(func() bool { return len(sleepers()) > 0 }) {
				_ = p.Process.Kill()
				_ = p.Wait()
				t.Fatalf("the step did not start:\n%s", out)
			}
			pid := p.Process.Pid
			if c.worker {
				pid = workerOf(t, pid)
			}
			if err := syscall.Kill(pid, c.signal); err != nil {
				t.Error(err)
			}
			_ = p.Wait() // an error: it was killed or interrupted
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("the builder did not print %q:\n%s", c.want, out)
			}
			if got := p.ProcessState.ExitCode(); got != c.exit {
				t.Errorf("the builder ended with %d, want %d:\n%s", got, c.exit, out)
			}
			if !soon(func() bool { return len(sleepers()) == 0 }) {
				t.Errorf("left running: %v", sleepers())
			}
			if after := hostState(t); !slices.Equal(after, before) {
				t.Errorf("the host changed from\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			write(t, filepath.Join(o.Context, "Dockerfile"), runApp)
			again, out := builder(t, o, 0)
			if err := again.Run(); err != nil {
				t.Errorf("building again: %v\n%s", err, out)
			}
			if left, _ := filepath.Glob(filepath.Join(o.Home, ".build-*")); len(left) > 0 {
				t.Errorf("left next to the store: %v", left)
			}
		})
	}
}

// hostState lists what a build must not change: mounts, control groups and binfmt_misc entries.
func hostState(t *testing.T) []string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	found := strings.Split(string(mounts), "\n")
	for _, root := range []string{"/sys/fs/cgroup", "/proc/sys/fs/binfmt_misc", "/run/runc"} {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && (d.IsDir() || strings.Contains(root, "binfmt")) {
				found = append(found, path)
			}
			return nil
		})
	}
	return found
}

// sleepers returns the processes of the step. The host sees them although they are in another PID namespace.
func sleepers() []string { return processes("/app\x00sleep\x00") }

// workerOf returns the process ID of a builder's worker.
func workerOf(t *testing.T, builder int) int {
	t.Helper()
	for _, dir := range processes("mtool-worker\x00") {
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if _, after, ok := strings.Cut(string(stat), ") "); err == nil && ok &&
			strings.HasPrefix(after[2:], strconv.Itoa(builder)+" ") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return pid
		}
	}
	t.Fatalf("process %d has no worker", builder)
	return 0
}

func processes(cmdline string) []string {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, dir := range dirs {
		if b, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && bytes.Contains(b, []byte(cmdline)) {
			found = append(found, dir)
		}
	}
	return found
}

func soon(done func() bool) bool {
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}
