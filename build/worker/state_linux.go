//go:build !mips64le

package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// lockState waits for the lock of the state directory and removes what a killed worker left in it. The lock ends with
// the process.
func lockState(c config, note func(string)) (*flock.Flock, error) {
	path := filepath.Join(c.Root, "lock")
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	const patience = time.Second // before note is called
	soon, cancel := context.WithTimeout(context.Background(), patience)
	mine, err := lock.TryLockContext(soon, 20*time.Millisecond)
	cancel()
	if !mine && soon.Err() != nil {
		note(fmt.Sprintf("waiting for %s, which is building with %s", holder(path), c.Root))
		mine, err = lock.TryLockContext(context.Background(), 50*time.Millisecond)
	}
	if !mine {
		return nil, fmt.Errorf("locking %q: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(c.Owner)), 0o600); err != nil {
		return nil, fmt.Errorf("locking %q: %w", path, err)
	}
	return lock, errors.Join(forgetTorn(c.Root, bootID(), note), checkFormat(c.Root, note), removeOld(c, note),
		tidy(c.Root), reserve(c.Root))
}

// stateFormat changes when a worker would read the state of an older one wrongly, and formatFile holds it. Before 3
// there was no such file, and the devices of base images were left out of their snapshots.
const (
	stateFormat = "3"
	formatFile  = "format"
)

// checkFormat empties a state of another format.
func checkFormat(root string, note func(string)) error {
	path := filepath.Join(root, formatFile)
	b, err := os.ReadFile(path)
	if err == nil && string(b) == stateFormat {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	used, err := contents(root)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		note("forgetting the build cache in " + root +
			": another version of mtool made it, and this one would read it wrongly")
	}
	if err := forget(root); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(stateFormat), 0o600)
}

// forgetTorn empties a state that was being changed when the machine went down.
func forgetTorn(root, boot string, note func(string)) error {
	b, err := os.ReadFile(filepath.Join(root, unsynced))
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(b) == boot {
		return nil
	}
	if err != nil {
		return err
	}
	note("forgetting the build cache in " + root + ": the machine went down during a build")
	if err := forget(root); err != nil {
		return err
	}
	return os.Remove(filepath.Join(root, unsynced)) // last, so that a killed process leaves the mark
}

// contents returns everything in a state except its lock and format.
func contents(root string) (paths []string, err error) {
	entries, err := os.ReadDir(root)
	for _, e := range entries {
		if e.Name() != "lock" && e.Name() != unsynced {
			paths = append(paths, filepath.Join(root, e.Name()))
		}
	}
	return paths, err
}

// forget empties a state.
func forget(root string) error {
	paths, err := contents(root)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("forgetting a build cache: %w", err)
		}
	}
	return nil
}

// removeOld removes the state of an older version that ignored how ids are mapped, unless it is in use or another
// user's.
func removeOld(c config, note func(string)) error {
	if c.OldRoot == "" {
		return nil
	}
	lock := flock.New(filepath.Join(c.OldRoot, "lock"))
	if mine, err := lock.TryLock(); err != nil || !mine {
		return nil // another user's, or in use
	}
	defer lock.Close() //nolint:errcheck // it ends with the process
	note("removing " + c.OldRoot + ", the build cache of an older version of mtool")
	if err := os.RemoveAll(c.OldRoot); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("removing an old build cache: %w", err)
	}
	return nil
}

func holder(path string) string {
	b, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return "process " + pid
	}
	return "another process"
}

// tidy removes the files of ended containers and creates the directories for new ones.
func tidy(root string) error {
	bundles, err := filepath.Glob(filepath.Join(root, "runc-*", "executor"))
	if err != nil {
		return err
	}
	for _, dir := range append(bundles, runDir(root), tmpDir(root)) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("tidying the worker's state: %w", err)
		}
	}
	for _, dir := range []string{runDir(root), tmpDir(root)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("preparing the worker's state: %w", err)
		}
	}
	return nil
}

// reserveSize is in bytes. To delete what fills a disk, each database needs a few pages.
const reserveSize = 2 << 20

// reserve keeps space in the state directory for the databases: on a full disk they could not delete anything, and no
// build could free what an earlier one left. The space is released if the disk is full. File systems that can't
// reserve space do without.
func reserve(root string) error {
	path := filepath.Join(root, "reserve")
	var disk unix.Statfs_t
	if err := unix.Statfs(root, &disk); err != nil {
		return err
	}
	if disk.Bavail*uint64(disk.Bsize) < reserveSize {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, reserveSize)
	if closed := f.Close(); err != nil || closed != nil {
		return os.Remove(path)
	}
	return nil
}
