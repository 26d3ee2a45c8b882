package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockState waits for the state directory and tidies up what a killed worker left in it. The lock ends with the process.
func lockState(c config, note func(string)) (*flock.Flock, error) {
	path := filepath.Join(c.Root, "lock")
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	const patience = time.Second // before the user is told
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
	return lock, errors.Join(forgetTorn(c.Root, bootID(), note), tidy(c.Root), reserve(c.Root))
}

func holder(path string) string {
	b, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return "process " + pid
	}
	return "another process"
}

// tidy removes the files of containers that no longer are, and makes the directories for those to come.
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
