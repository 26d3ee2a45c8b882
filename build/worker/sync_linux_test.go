package worker

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
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

func TestDeferSyncs(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mark := filepath.Join(root, unsynced)
	writeFile(t, filepath.Join(root, "cache.db"), "x")
	finish, err := deferSyncs(root, "boot")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(mark); err != nil || string(b) != "boot" {
		t.Errorf("the mark is %q, %v", b, err)
	}
	if err := finish(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark was not removed: %v", err)
	}
}

// NoSync reaches BuildKit's databases: with it they don't wait for the disk.
func TestDatabases(t *testing.T) {
	t.Parallel()
	for _, noSync := range []bool{true, false} {
		if got := (config{NoSync: noSync}).database().NoSync; got != noSync {
			t.Errorf("options: NoSync is %v, want %v", got, noSync)
		}
		store, err := newMetadata(filepath.Join(t.TempDir(), "metadata_v2.db"), noSync)
		if err != nil {
			t.Fatal(err)
		}
		err = store.DB().View(func(tx *bolt.Tx) error {
			if got := tx.DB().NoSync; got != noSync {
				t.Errorf("BuildKit's metadata: NoSync is %v, want %v", got, noSync)
			}
			return nil
		})
		if err := errors.Join(err, store.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
