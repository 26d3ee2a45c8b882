package worker

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A state of another format is forgotten, with one note.
func TestFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files     []string
		format    string
		forgotten bool
	}{
		"a new one":             {},
		"one without a version": {[]string{"cache.db", "runc-overlayfs/metadata_v2.db"}, "", true},
		"the rest of one":       {[]string{"runc-overlayfs/metadata_v2.db"}, "", true},
		"an older one":          {[]string{"cache.db"}, "2", true},
		"a newer one":           {[]string{"cache.db"}, "30", true},
		"the current one":       {[]string{"cache.db"}, stateFormat, false},
	} {
		root := t.TempDir()
		for _, f := range append(c.files, "lock") {
			writeFile(t, filepath.Join(root, f), "x")
		}
		if c.format != "" {
			writeFile(t, filepath.Join(root, formatFile), c.format)
		}
		var notes []string
		for range 2 { // noted once
			if err := checkFormat(root, func(s string) { notes = append(notes, s) }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		left, err := contents(root)
		if err != nil {
			t.Fatal(err)
		}
		wantNotes := 0
		if c.forgotten {
			wantNotes = 1
		}
		if kept := slices.Contains(left, filepath.Join(root, "cache.db")); len(notes) != wantNotes || kept == c.forgotten &&
			len(c.files) > 0 {
			t.Errorf("%s: notes %q, left %q", name, notes, left)
		}
		if b, err := os.ReadFile(filepath.Join(root, formatFile)); string(b) != stateFormat {
			t.Errorf("%s: afterwards the format is %q, %v", name, b, err)
		}
	}
}

// The state directory of an older version is removed, except that of the machine's root.
func TestRemoveOld(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	for _, kind := range []string{"root", "subids", "single"} {
		writeFile(t, filepath.Join(state, kind, "lock"), "")
		old := oldDir(state, mapping{Kind: kind})
		if err := removeOld(config{OldRoot: old}, func(string) {}); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(state, kind)); (err == nil) != (kind == "root") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	writeFile(t, filepath.Join(state, "subids-12345678", "lock"), "") // another range's
	if old := oldDir(state, mapping{Kind: "subids"}); old != "" {
		t.Errorf("%q is old", old)
	}
}

// The reserved space is allocated: a sparse file would not help on a full disk.
func TestReserve(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for range 2 {
		if err := reserve(root); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(root, "reserve"))
	if err != nil {
		t.Skip("this file system can't allocate space, or is full")
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Blocks*512 < reserveSize {
		t.Errorf("%d bytes are allocated, want %d", stat.Blocks*512, reserveSize)
	}
}
