package worker

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestForgetTorn(t *testing.T) {
	t.Parallel()
	for boot, forgotten := range map[string]bool{"": false, "this": false, "another": true} {
		root := t.TempDir()
		files := []string{"lock", "cache.db", "runc-overlayfs/snapshots/metadata.db"}
		for _, name := range files {
			writeFile(t, filepath.Join(root, name), "x")
		}
		if boot != "" {
			writeFile(t, filepath.Join(root, unsynced), boot)
		}
		var notes []string
		if err := forgetTorn(root, "this", func(note string) { notes = append(notes, note) }); err != nil {
			t.Fatal(err)
		}
		for i, name := range files {
			_, err := os.Stat(filepath.Join(root, name))
			if gone := errors.Is(err, os.ErrNotExist); gone != (forgotten && i > 0) {
				t.Errorf("after %q: %s is gone: %v", boot, name, gone)
			}
		}
		if (len(notes) > 0) != forgotten {
			t.Errorf("after %q: %q", boot, notes)
		}
		if _, err := os.Stat(filepath.Join(root, unsynced)); (err == nil) != (boot == "this") {
			t.Errorf("after %q: the mark: %v", boot, err)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestDeferSyncs: in a process of its own, since the filter stays. A file descriptor that is none tells who answers.
func TestDeferSyncs(t *testing.T) {
	if root := os.Getenv("TEST_DEFER_SYNCS"); root != "" {
		deferredSyncs(t, root)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDeferSyncs$")
	cmd.Env = append(os.Environ(), "TEST_DEFER_SYNCS="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		needRunc(t) // which knows whether this machine must be able to
		t.Skip("no user namespaces here")
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func deferredSyncs(t *testing.T, root string) {
	t.Helper()
	mark := filepath.Join(root, unsynced)
	writeFile(t, filepath.Join(root, "cache.db"), "x")
	if err := unix.Fdatasync(-1); !errors.Is(err, syscall.EBADF) {
		t.Fatal(err)
	}
	finish, err := deferSyncs(root, "boot")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(mark); err != nil || string(b) != "boot" {
		t.Errorf("the mark is %q, %v", b, err)
	}
	if err := unix.Fdatasync(-1); err != nil {
		t.Errorf("fdatasync: %v", err)
	}
	if err := unix.Fsync(-1); !errors.Is(err, syscall.EBADF) {
		t.Errorf("fsync, which the end needs: %v", err)
	}
	if err := finish(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark stays: %v", err)
	}
}
