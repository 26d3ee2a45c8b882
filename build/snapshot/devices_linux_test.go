package snapshot_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonistiigi/fsutil/types"
	"golang.org/x/sys/unix"

	"mtool/build/snapshot"
)

// TestDevices sends a device of an archive. An empty file on disk stands for it.
func TestDevices(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "null"), "", time.Unix(0, 0))
	put(t, filepath.Join(dir, "text"), "text", time.Unix(0, 0))
	entries := map[string]snapshot.Entry{
		"null": {Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Major: 1, Minor: 3}, "text": {Mode: 0o644},
	}
	old := errors.New("an old kernel")
	for name, c := range map[string]struct {
		devices snapshot.Devices
		shown   bool
		err     error
	}{
		"sent":                     {snapshot.Devices{}, true, nil},
		"left out":                 {snapshot.Devices{Skip: true}, false, nil},
		"refused":                  {snapshot.Devices{Refused: old}, false, &snapshot.DeviceError{Path: "null", Err: old}},
		"left out, though refused": {snapshot.Devices{Skip: true, Refused: old}, false, nil},
	} {
		tree, err := snapshot.New(dir, snapshot.Options{Entries: entries, Devices: c.devices})
		if err != nil {
			t.Fatal(err)
		}
		shown := false
		err = tree.Walk(context.Background(), "/", func(path string, e fs.DirEntry, err error) error {
			if err != nil || path != "null" {
				return err
			}
			info, err := e.Info()
			if err == nil {
				stat := info.Sys().(*types.Stat)
				shown = info.Mode() == entries["null"].Mode && stat.Devmajor == 1 && stat.Devminor == 3
			}
			return err
		})
		var refused *snapshot.DeviceError
		if shown != c.shown || errors.As(err, &refused) != (c.err != nil) ||
			c.err != nil && refused.Error() != c.err.Error() {
			t.Errorf("%s: shown %t, %v", name, shown, err)
		}
	}
}

// The extended attribute that workers use for devices is not sent.
func TestHidden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a"), "text", time.Unix(0, 0))
	for _, name := range []string{"user.own", "user.other"} {
		if err := unix.Setxattr(filepath.Join(dir, "a"), name, []byte("x"), 0); err != nil {
			t.Skip(err)
		}
	}
	tree, err := snapshot.New(dir, snapshot.Options{Hidden: "user.own"})
	if err != nil {
		t.Fatal(err)
	}
	err = tree.Walk(context.Background(), "/", func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if x := info.Sys().(*types.Stat).Xattrs; x["user.own"] != nil || x["user.other"] == nil {
			t.Errorf("sent with %q", x)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
