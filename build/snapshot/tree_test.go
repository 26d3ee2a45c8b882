package snapshot_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonistiigi/fsutil/types"

	"mtool/build/snapshot"
)

// send reads every file, like a worker with an empty cache. resent lists the files marked as changed.
func send(t *testing.T, tree *snapshot.Tree) (contents map[string]string, resent []string) {
	t.Helper()
	contents = map[string]string{}
	err := tree.Walk(context.Background(), "/", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*types.Stat)
		if fs.FileMode(stat.Mode)&fs.ModeTemporary != 0 {
			resent = append(resent, path)
		}
		if !info.Mode().IsRegular() || stat.Linkname != "" {
			contents[path] = stat.Linkname
			return nil
		}
		f, err := tree.Open(path)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(f)
		contents[path] = string(b)
		return errors.Join(err, f.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents, resent
}

func put(t *testing.T, path, text string, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string, m *snapshot.Memory) *snapshot.Tree {
	t.Helper()
	tree, err := snapshot.New(dir, snapshot.Options{Memory: m, Name: "context"})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestSameTime changes a file and gives it its old size and time.
func TestSameTime(t *testing.T) {
	t.Parallel()
	dir, memory := t.TempDir(), filepath.Join(t.TempDir(), "memory")
	epoch := time.Unix(0, 0)
	put(t, filepath.Join(dir, "a"), "v1", epoch)
	put(t, filepath.Join(dir, "b"), "v1", epoch)
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	build := func() (map[string]string, string, string) {
		m := snapshot.Open(memory)
		contents, resent := send(t, open(t, dir, m))
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return contents, strings.Join(resent, " "), m.Key()
	}
	_, resent, key := build()
	if resent != "" {
		t.Errorf("the first time: %q is marked as changed", resent)
	}
	if _, resent, _ = build(); resent != "" {
		t.Errorf("nothing changed: %q is marked as changed", resent)
	}
	put(t, filepath.Join(dir, "a"), "v2", epoch)
	contents, resent, again := build()
	if resent != "a c" || contents["a"] != "v2" || again != key {
		t.Errorf("a was changed: %q is marked as changed, content %v, key %q after %q", resent, contents, again, key)
	}
	put(t, filepath.Join(dir, "a"), "v1", epoch)
	if _, resent, _ = build(); resent != "a c" { // a worker may have either content
		t.Errorf("a was changed back: %q is marked as changed", resent)
	}
	put(t, filepath.Join(dir, "b"), "v2", time.Unix(1, 0))
	if _, resent, _ = build(); resent != "a c" {
		t.Errorf("b was changed and has a new time: %q is marked as changed", resent)
	}
	put(t, filepath.Join(dir, "b"), "v3", epoch)
	if _, resent, _ = build(); resent != "a b c" {
		t.Errorf("b was changed and has its old time: %q is marked as changed", resent)
	}
}

// One command sees one version of the tree; files that change after they were listed are reported.
func TestOneView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a"), "v1", time.Unix(0, 0))
	tree := open(t, dir, nil)
	first, _ := send(t, tree)
	put(t, filepath.Join(dir, "new"), "", time.Unix(0, 0))
	second, _ := send(t, tree)
	if len(first) != 1 || len(second) != 1 || tree.Err() != nil {
		t.Errorf("first %v, then %v, %v", first, second, tree.Err())
	}
	for name, change := range map[string]func(path string) error{
		"content":   func(path string) error { return os.WriteFile(path, []byte("v2"), 0o644) },
		"longer":    func(path string) error { return os.WriteFile(path, []byte("v1 and more"), 0o644) },
		"gone":      os.Remove,
		"directory": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) },
		"link":      func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"pipe":      func(path string) error { return errors.Join(os.Remove(path), mkfifo(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			put(t, path, "v1", time.Unix(0, 0))
			var failed error
			tree, err := snapshot.New(dir, snapshot.Options{Failed: func(err error) { failed = err }})
			if err != nil {
				t.Fatal(err)
			}
			send(t, tree)
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			f, err := tree.Open("a")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(f); err == nil || errors.Is(err, fs.ErrNotExist) || tree.Err() == nil || failed == nil {
				t.Errorf("got %v, reported %v; want an error other than ErrNotExist", err, failed)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	for name, text := range map[string]string{
		"content while it is read": "v2", "longer while it is read": "v1 and more",
		"shorter while it is read": "v",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			put(t, path, "v1", time.Unix(0, 0))
			tree := open(t, dir, nil)
			send(t, tree)
			f, err := tree.Open("a")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			put(t, path, text, time.Unix(0, 0))
			if _, err := io.ReadAll(f); err == nil || tree.Err() == nil {
				t.Errorf("got %v, and the tree's error is %v", err, tree.Err())
			}
		})
	}
}

// After a file was sent in part, a worker may have any content, so the file is marked as changed.
func TestPartlySent(t *testing.T) {
	t.Parallel()
	dir, memory := t.TempDir(), filepath.Join(t.TempDir(), "memory")
	put(t, filepath.Join(dir, "a"), "some text", time.Unix(0, 0))
	m := snapshot.Open(memory)
	f, err := open(t, dir, m).Open("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), m.Close()); err != nil {
		t.Fatal(err)
	}
	m = snapshot.Open(memory)
	if _, resent := send(t, open(t, dir, m)); len(resent) != 1 {
		t.Errorf("%q is marked as changed", resent)
	}
	other := snapshot.Open(memory) // in use: a second command can't know what the first sends
	if other.Key() == m.Key() {
		t.Error("two commands use one memory at the same time")
	}
	if _, err := os.Stat(memory); err == nil {
		t.Error("a memory in use is still under its name, where a killed command would leave it")
	}
}
