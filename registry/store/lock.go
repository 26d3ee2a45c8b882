package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"mtool/registry"
)

// The two locks of a layout.
//
// A process that edits index.json holds indexLock, exclusively and for moments.
//
// Every writer holds contentLock, shared, from its first blob until everything it wrote has a name. Garbage collection
// holds it exclusively, and so never meets a blob that waits for its name. Both locks end with the process that holds
// them, however it ends.
const (
	privateDir  = ".mtool"
	indexLock   = "index.lock"
	contentLock = "content.lock"
)

// lockPoll is how often a lock that is held is tried again: flock can't wait for both a lock and a context.
const lockPoll = 20 * time.Millisecond

// lock takes the lock, and waits for it until ctx ends.
func (l *Layout) lock(ctx context.Context, name string, shared bool) (release func() error, err error) {
	f := l.flock(name)
	try := f.TryLockContext
	if shared {
		try = f.TryRLockContext
	}
	if _, err := try(ctx, lockPoll); err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("another process holds it: %w", cause)
		}
		return nil, errors.Join(fmt.Errorf("locking %q: %w", f.Path(), NoLocks(DiskFull(err, l.dir, 0), l.dir)), f.Close())
	}
	return f.Close, nil
}

// NoLocks explains the error of a file system without locks, such as some network file systems. It returns other
// errors, and nil, unchanged.
func NoLocks(err error, dir string) error {
	for _, number := range []error{syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP} {
		if errors.Is(err, number) {
			return registry.WithHint(fmt.Errorf("%q is on a file system without locks: %w", dir, err),
				"set MTOOL_HOME to a directory on a local file system")
		}
	}
	return err
}

// tryLock takes the lock exclusively if it is free.
func (l *Layout) tryLock(name string) (release func() error, ok bool, err error) {
	f := l.flock(name)
	ok, err = f.TryLock()
	if err != nil || !ok {
		return nil, false, errors.Join(NoLocks(err, l.dir), f.Close())
	}
	return f.Close, true, nil
}

func (l *Layout) flock(name string) *flock.Flock {
	return flock.New(filepath.Join(l.dir, privateDir, name), flock.SetPermissions(0o644),
		flock.SetFlag(os.O_CREATE|os.O_RDWR))
}
