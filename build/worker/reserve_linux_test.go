package worker

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

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
