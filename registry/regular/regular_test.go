package regular_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"mtool/registry/regular"
)

// mustReturn fails the test if do blocks.
func mustReturn(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(10 * time.Minute):
		t.Fatal("the call blocks")
	}
}

func TestReadRegularFilesOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("file", "text")
	write("large", "12345")
	must(t, os.Symlink("file", at("link")), os.Symlink("/dev/zero", at("zero")), os.Symlink("/dev/null", at("null")),
		os.Symlink("/proc/self/environ", at("environ")), os.Symlink("loop", at("loop")), syscall.Mkfifo(at("pipe"), 0o600))
	socket, err := net.Listen("unix", at("socket"))
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	for name, want := range map[string]struct {
		text string
		kind error
	}{
		"file": {text: "text"}, "link": {text: "text"}, "null": {}, "environ": {},
		"large": {kind: regular.ErrFile}, "zero": {kind: regular.ErrFile}, "pipe": {kind: regular.ErrFile},
		"socket": {kind: regular.ErrFile},
		".":      {kind: regular.ErrFile}, "missing": {kind: fs.ErrNotExist}, "loop": {kind: syscall.ELOOP},
	} {
		mustReturn(t, func() {
			if got, err := regular.Read(at(name), 4); string(got) != want.text || !errors.Is(err, want.kind) {
				t.Errorf("%s: %q, %v; want %q, %v", name, got, err, want.text, want.kind)
			}
			if f, err := regular.DirFS(dir).Open(name); err == nil {
				_ = f.Close()
			} else if want.kind == nil {
				t.Errorf("%s in a DirFS: %v", name, err)
			}
		})
	}
}

func TestReadInRefusesLinksOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside, inside := filepath.Join(dir, "secret"), filepath.Join(dir, "in")
	must(t, os.Mkdir(inside, 0o700), os.WriteFile(outside, []byte("secret"), 0o600),
		os.WriteFile(filepath.Join(inside, "file"), []byte("text"), 0o600),
		os.Symlink("../secret", filepath.Join(inside, "relative")), os.Symlink(outside, filepath.Join(inside, "absolute")),
		os.Symlink("..", filepath.Join(inside, "up")), os.Symlink("file", filepath.Join(inside, "link")))
	root, err := os.OpenRoot(inside)
	must(t, err)
	t.Cleanup(func() { _ = root.Close() })
	for _, name := range []string{"relative", "absolute", "up/secret", "../secret"} {
		if got, err := regular.ReadIn(root, name, 100); !errors.Is(err, regular.ErrFile) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := regular.ReadIn(root, "link", 100); string(got) != "text" || err != nil {
		t.Errorf("a link inside: %q, %v", got, err)
	}
}

func TestAllOfLayout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	blobs := filepath.Join(dir, "blobs", "sha256")
	must(t, os.MkdirAll(blobs, 0o700), os.WriteFile(filepath.Join(blobs, "a"), nil, 0o600),
		os.Symlink("nothing", filepath.Join(blobs, "b")))
	if err := regular.AllOfLayout(dir); err != nil {
		t.Errorf("files and a dangling link: %v", err)
	}
	for _, name := range []string{filepath.Join(blobs, "pipe"), filepath.Join(dir, "index.json")} {
		must(t, syscall.Mkfifo(name, 0o600))
		if err := regular.AllOfLayout(dir); !errors.Is(err, regular.ErrFile) {
			t.Errorf("a pipe %s: %v", name, err)
		}
		must(t, os.Remove(name))
	}
}

func TestStaysIn(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "real"), 0o700), os.Symlink(outside, filepath.Join(dir, "out")),
		os.Symlink("real", filepath.Join(dir, "in")),
		os.Symlink("new", filepath.Join(dir, "new-link")))
	for path, refused := range map[string]bool{
		"out": true, "out/x": true, "in/x": false, "new/x": false, "new-link": true, ".": false, "../x": false,
		"real/../out/x": true,
	} {
		if err := regular.StaysIn(dir, filepath.Join(dir, path)); errors.Is(err, regular.ErrFile) != refused ||
			!refused && err != nil {
			t.Errorf("%s: %v, want refused %v", path, err, refused)
		}
	}
	if err := regular.StaysIn(filepath.Join(dir, "missing"), filepath.Join(dir, "missing", "x")); err != nil {
		t.Errorf("a missing directory: %v", err)
	}
}

// A path that the user typed may be a pipe of this process. Waiting for its writer ends with the context.
func TestReadTyped(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	fdPath := filepath.Join("/proc/self/fd", strconv.Itoa(int(r.Fd())))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	mustReturn(t, func() {
		if _, err := regular.ReadTyped(ctx, fdPath, 10); !errors.Is(err, context.Canceled) {
			t.Errorf("a pipe without data: %v", err)
		}
	})
	_, err = io.WriteString(w, "text")
	must(t, err, w.Close())
	mustReturn(t, func() {
		if got, err := regular.ReadTyped(t.Context(), fdPath, 10); string(got) != "text" || err != nil {
			t.Errorf("a pipe: %q, %v", got, err)
		}
	})
	zero, err := os.Open("/dev/zero")
	must(t, err)
	defer zero.Close()
	if _, err := regular.ReadAll(t.Context(), zero, 10); !errors.Is(err, regular.ErrFile) {
		t.Errorf("an endless stream: %v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	mustReturn(t, func() {
		if _, err := regular.ReadTyped(t.Context(), pipe, 10); !errors.Is(err, regular.ErrFile) {
			t.Errorf("a named pipe: %v", err)
		}
	})
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
