package snapshot_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"mtool/build/snapshot"
)

// A build in which nothing changed uses the memory and does not write it again.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "memory")
	build := func() string {
		m := snapshot.Open(path)
		send(t, open(t, dir, m))
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return m.Key()
	}
	put(t, filepath.Join(dir, "a"), "v1", time.Unix(0, 0))
	key := build()
	build() // a file counts as unchanged only if it is older than the last build
	time.Sleep(2100 * time.Millisecond)
	build()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if again := build(); again != key {
		t.Errorf("key %q, then %q", key, again)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || !after.ModTime().After(before.ModTime()) {
		t.Errorf("the memory was written again or not marked as used: %v, %v, %v", before, after, err)
	}
	put(t, filepath.Join(dir, "a"), "v2", time.Unix(0, 0))
	build()
	if changed, err := os.Stat(path); err != nil || os.SameFile(changed, after) {
		t.Errorf("the memory does not have the change: %v", err)
	}

	// A killed command leaves no memory, since it might be wrong.
	key = snapshot.Open(path).Key()
	if _, err := os.Stat(path); err == nil {
		t.Error("a memory in use is still under its name")
	}
	killed := filepath.Join(t.TempDir(), "memory") // without the lock, which a process that ends gives up
	if err := os.Rename(path+".taken", killed+".taken"); err != nil {
		t.Fatal(err)
	}
	if again := snapshot.Open(killed).Key(); again == key {
		t.Error("the memory of a killed command is used")
	}
}

// Prune removes memories that are old and not in use.
func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	used := snapshot.Open(filepath.Join(dir, "used"))
	for _, name := range []string{"used.taken", "old", "old.lock", "old.new-1", "new"} {
		put(t, filepath.Join(dir, name), "", time.Now().Add(-time.Hour))
	}
	put(t, filepath.Join(dir, "new"), "", time.Now())
	if err := snapshot.Prune(dir, 30*time.Minute); err != nil {
		t.Error(err)
	}
	if err := used.Close(); err != nil {
		t.Error(err)
	}
	for name, kept := range map[string]bool{
		"used": true, "old": false, "old.lock": false, "old.new-1": false,
		"new": true,
	} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != kept {
			t.Errorf("%s is kept: %v, want %v", name, err == nil, kept)
		}
	}
	if err := snapshot.Prune(filepath.Join(dir, "none"), 0); err != nil {
		t.Error(err)
	}
}
