package testparts

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The limits are for parts that hang. They must be long enough for a busy machine.
const (
	startTimeout = 10 * time.Minute
	stopTimeout  = 5 * time.Minute
	pollEvery    = 20 * time.Millisecond
)

// daemon is a program that runs until the test ends. Its output is in log.
type daemon struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
}

// newDir makes a directory for a daemon. It is removed with the test, after everything below has been unmounted. Its
// path is short, since that of a socket may have 107 bytes at most and t.TempDir's contains the name of the test.
func newDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mtool-part-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(unmountBelow(dir), os.RemoveAll(dir)); err != nil {
			t.Errorf("cleaning up %q: %v", dir, err)
		}
	})
	return dir
}

// startDaemon starts a program with dir as its home and temporary directory, and stops it before dir is removed. The
// log is shown if the test fails.
func startDaemon(t testing.TB, dir, program string, args ...string) *daemon {
	t.Helper()
	d := &daemon{
		name: filepath.Base(program), log: filepath.Join(dir, filepath.Base(program)+".log"),
		done: make(chan struct{}),
	}
	out, err := os.Create(d.log)
	if err != nil {
		t.Fatal(err)
	}
	d.cmd = exec.Command(program, args...)
	d.cmd.Stdout, d.cmd.Stderr, d.cmd.Dir = out, out, dir
	d.cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir, "OTEL_TRACES_EXPORTER=none",
		"PATH="+strings.Join(append(depsDirs(), os.Getenv("PATH"), "/usr/sbin", "/sbin"), ":"))
	// In its own session it does not get the terminal's Ctrl-C. It gets SIGTERM when the test dies.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
	err = d.cmd.Start()
	_ = out.Close()
	if err != nil {
		t.Fatalf("starting %s: %v", d.name, err)
	}
	go func() { _ = d.cmd.Wait(); close(d.done) }()
	t.Cleanup(func() { d.stop(t) })
	return d
}

// await polls until ready returns true.
func (d *daemon) await(t testing.TB, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); !ready(); time.Sleep(pollEvery) {
		select {
		case <-d.done:
			t.Fatalf("%s ended at once:\n%s", d.name, d.output())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not ready after %s:\n%s", d.name, startTimeout, d.output())
		}
	}
}

// eventually polls until ready returns true. It returns false after startTimeout.
func eventually(ready func() bool) bool {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(pollEvery) {
		if ready() {
			return true
		}
	}
	return false
}

// stop sends SIGTERM, and SIGKILL if that does not help.
func (d *daemon) stop(t testing.TB) {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(stopTimeout):
		_ = d.cmd.Process.Kill()
		<-d.done
		t.Errorf("%s ignores SIGTERM for %s:\n%s", d.name, stopTimeout, d.output())
	}
	if t.Failed() {
		t.Logf("%s printed:\n%s", d.name, d.output())
	}
}

// output returns the end of the program's output.
func (d *daemon) output() []byte {
	const most = 8 << 10
	b, err := os.ReadFile(d.log)
	if err != nil {
		return []byte(err.Error())
	}
	return b[max(0, len(b)-most):]
}

// unmountBelow detaches all mounts below dir, the deepest first.
func unmountBelow(dir string) error {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("reading the mounts: %w", err)
	}
	var errs []error
	for _, point := range mountPoints(b, dir) {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmounting %q: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

// mountPoints returns the mount points below dir in a mountinfo (the fifth field, see proc(5)), the deepest first.
func mountPoints(mountinfo []byte, dir string) []string {
	var points []string
	for line := range bytes.Lines(mountinfo) {
		if f := strings.Fields(string(line)); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	slices.SortFunc(points, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return points
}
