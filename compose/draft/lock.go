package draft

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"mtool/registry/store"
)

// poll is how often a lock that another process holds is tried again.
const poll = 5 * time.Millisecond

// lock waits for the lock of one draft. The last one to unlock deletes the lock's file. A file that was deleted while
// we waited locks out no other process, so it is checked again after locking.
func lock(ctx context.Context, path string) (unlock func() error, err error) {
	for {
		l := flock.New(path, flock.SetPermissions(0o600))
		if ok, err := l.TryLockContext(ctx, poll); err != nil || !ok {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path,
				store.NoLocks(errors.Join(err, ctx.Err()), filepath.Dir(path))), l.Close())
		}
		if isCurrent(l, path) {
			return func() error {
				_ = os.Remove(path) // where open files can't be deleted it stays, which is harmless
				return l.Close()
			}, nil
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
	}
}

func isCurrent(l *flock.Flock, path string) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(held, there)
}
