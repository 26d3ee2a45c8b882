package worker

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestFormat opens states of several versions.
func TestFormat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files     []string
		format    string
		forgotten bool
	}{
		"a new one":                    {},
		"one of before there were any": {[]string{"cache.db", "runc-overlayfs/metadata_v2.db"}, "", true},
		"what is left of one":          {[]string{"runc-overlayfs/metadata_v2.db"}, "", true},
		"an older one":                 {[]string{"cache.db"}, "2", true},
		"a newer one":                  {[]string{"cache.db"}, "30", true},
		"one of today":                 {[]string{"cache.db"}, stateFormat, false},
	} {
		root := t.TempDir()
		for _, f := range append(c.files, "lock") {
			writeFile(t, filepath.Join(root, f), "x")
		}
		if c.format != "" {
			writeFile(t, filepath.Join(root, formatFile), c.format)
		}
		var notes []string
		for range 2 { // it is said once
			if err := checkFormat(root, func(s string) { notes = append(notes, s) }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		left, err := contents(root)
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		if c.forgotten {
			said = 1
		}
		if kept := slices.Contains(left, filepath.Join(root, "cache.db")); len(notes) != said || kept == c.forgotten &&
			len(c.files) > 0 {
			t.Errorf("%s: %q said, left %q", name, notes, left)
		}
		if b, err := os.ReadFile(filepath.Join(root, formatFile)); string(b) != stateFormat {
			t.Errorf("%s: then it is of format %q, %v", name, b, err)
		}
	}
}

// TestRemoveOld: a state of an older version is removed unless it is in use, and never the machine's own root's.
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

// The space is set aside once, and really there: a sparse file would be of no help on a full disk.
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
		t.Skip("this file system can't set space aside, or is full")
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Blocks*512 < reserveSize {
		t.Errorf("%d bytes are set aside, want %d", stat.Blocks*512, reserveSize)
	}
}
