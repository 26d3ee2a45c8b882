package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mtool/build/advice"
	"mtool/build/emulator"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// needRunc skips the test if runc is missing, or fails it if MTOOL_TEST_REQUIRE names buildkit.
func needRunc(t *testing.T) {
	t.Helper()
	if _, err := findRunc("/usr/sbin", "/sbin"); err != nil {
		if slices.Contains(strings.Split(os.Getenv("MTOOL_TEST_REQUIRE"), ","), "buildkit") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func TestOneOwnerAtATime(t *testing.T) {
	t.Parallel()
	needRunc(t)
	state := t.TempDir()
	first, err := Start(t.Context(), Options{StateDir: state})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Start(ctx, Options{StateDir: state, Note: func(advice.Note) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v", err)
	}
	notes := make(chan string, 10)
	second := make(chan error)
	go func() {
		w, err := Start(t.Context(), Options{StateDir: state, Note: func(n advice.Note) { notes <- n.Text }})
		if err == nil {
			err = w.Close()
		}
		second <- err
	}()
	if note := <-notes; !strings.Contains(note, fmt.Sprint("waiting for process ", os.Getpid())) {
		t.Errorf("note %q", note)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// A worker removes the files that a killed worker left in its state.
func TestStaleFilesAreRemoved(t *testing.T) {
	t.Parallel()
	needRunc(t)
	state := t.TempDir()
	caller, err := thisCaller()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := planMapping(caller)
	stale := []string{"run/runc/abc/state.json", "tmp/file", "runc-overlayfs/executor/abc/config.json"}
	for _, f := range stale {
		writeFile(t, filepath.Join(state, m.Kind, f), "{}")
	}
	writeFile(t, filepath.Join(state, m.Kind, formatFile), stateFormat)
	w, err := Start(t.Context(), Options{StateDir: state})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, f := range stale {
		if _, err := os.Stat(filepath.Join(state, m.Kind, f)); err == nil {
			t.Errorf("%s is still there", f)
		}
	}
}

func TestBrokenState(t *testing.T) {
	t.Parallel()
	needRunc(t)
	state := t.TempDir()
	caller, err := thisCaller()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := planMapping(caller)
	writeFile(t, filepath.Join(state, m.Kind, formatFile), stateFormat)
	for _, name := range []string{"runc-overlayfs", "runc-native"} { // files instead of directories
		if err := os.WriteFile(filepath.Join(state, m.Kind, name), nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Start(t.Context(), Options{StateDir: state})
	if !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "runc-") {
		t.Errorf("got %v", err)
	}
}

// A worker that a user starts by hand, without a parent, ends at once with a message.
func TestChildByHand(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{stageMapped, stageUnmapped, "other"} {
		c := &exec.Cmd{Path: self, Args: []string{childName, stage}}
		if out, err := c.CombinedOutput(); err == nil || len(out) == 0 {
			t.Errorf("%s: %v, %q", stage, err, out)
		}
	}
}

func TestHostMustEmulate(t *testing.T) {
	t.Parallel()
	c := config{Emulators: []emulator.Found{{Emulator: foreign(t, "arm64"), Path: "/qemu"}}}
	if err := hostMustDo(c, emulator.ReadEntries(entriesDir(t)), syscall.EPERM); err != nil {
		t.Errorf("the host has an entry: %v", err)
	}
	err := explain("starting the worker", hostMustDo(c, nil, syscall.EPERM), thisConfinement())
	var w *Error
	if !errors.As(err, &w) || w.Kind != advice.HostEmulator || !slices.Equal(w.Args, []string{"arm64"}) ||
		!strings.Contains(err.Error(), "6.7") {
		t.Errorf("got %v", err)
	}
}

// entriesDir makes a directory like binfmt_misc with Debian's entry for arm64.
func entriesDir(t *testing.T) string {
	t.Helper()
	const entry = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\n" +
		"magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "qemu-aarch64"), []byte(entry), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// As on kernels before 6.7, only the host's entries are used; the error for a missing one says how to register it.
func TestHostEntriesOnly(t *testing.T) {
	t.Parallel()
	e := foreign(t, "loong64")
	tried, err := Try(t.Context(),
		TryOptions{Archs: []string{"loong64"}, Emulators: []emulator.Found{{Emulator: e, Path: "/qemu"}}, HostEntries: true})
	if !errors.Is(err, ErrNoWorker) || !strings.Contains(err.Error(), "flag F") {
		t.Errorf("got %v, %v", tried, err)
	}
}

func TestWithoutPtsGroup(t *testing.T) {
	t.Parallel()
	out, err := withoutPtsGroup(
		[]byte(`{"ociVersion":"1.0","mounts":[{"type":"devpts","options":["newinstance","gid=5"]},{"type":"tmpfs","options":["gid=5"]},{"type":"proc"}],"x":{"y":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Mounts []struct{ Options []string }
		X      struct{ Y int }
	}
	if err := json.Unmarshal(out, &spec); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(spec.Mounts[0].Options, []string{"newinstance"}) ||
		!slices.Equal(spec.Mounts[1].Options, []string{"gid=5"}) || spec.X.Y != 1 {
		t.Errorf("got %s", out)
	}
	if out, err := withoutHostname([]byte(`{"hostname":"h","x":1}`)); err != nil || string(out) != `{"x":1}` {
		t.Errorf("got %s, %v", out, err)
	}
	if _, err := withoutHostname([]byte("x")); err == nil {
		t.Error("garbage was edited")
	}
	if _, err := withoutPtsGroup([]byte("x")); err == nil {
		t.Error("garbage was edited")
	}
}
