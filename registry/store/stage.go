package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"mtool/registry"

	"github.com/gofrs/flock"
)

// A stage is a folder whose name begins with stagePrefix, in the private folder. Its process holds stageLock in it.
const (
	stagePrefix = "stage-"
	stageLock   = "lock"
)

// Stage is a folder for content that is incomplete or that no manifest names yet. It is on the store's file system, so
// that Writer.PutFile moves no bytes. Garbage collection removes it once its process has ended.
type Stage struct {
	Dir   string
	close func() error
}

// Stage makes a stage, and the store where it is missing. Close removes it.
func (s *Store) Stage(ctx context.Context) (*Stage, error) {
	l := s.layout
	if err := l.prepare(ctx); err != nil {
		return nil, err
	}
	release, err := l.lock(ctx, indexLock, false)
	if err != nil {
		return nil, err
	}
	err = l.removeStages()
	stage, makeErr := l.makeStage()
	if err := errors.Join(err, DiskFull(makeErr, l.dir, 0), release()); err != nil {
		return nil, fmt.Errorf("making a folder for uploads in %q: %w", l.dir, err)
	}
	return stage, nil
}

// Close removes the stage and everything in it. It may be called again.
func (s *Stage) Close() error { return s.close() }

// makeStage is called with the index lock held, so that no process takes the folder for an abandoned one before it is
// locked.
func (l *Layout) makeStage() (*Stage, error) {
	dir, err := os.MkdirTemp(filepath.Join(l.dir, privateDir), stagePrefix+"*")
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, stageLock))
	remove := sync.OnceValue(func() error { return errors.Join(lock.Close(), os.RemoveAll(dir)) })
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(NoLocks(err, l.dir), remove())
	}
	return &Stage{Dir: dir, close: remove}, nil
}

// removeStages removes the stages of processes that have ended. The caller holds the index lock.
func (l *Layout) removeStages() error {
	dirs, err := l.stages()
	for _, dir := range dirs {
		lock := flock.New(filepath.Join(dir, stageLock))
		ok, lockErr := lock.TryLock()
		err = errors.Join(err, registry.IgnoreMissing(lockErr), lock.Close()) // its owner may have removed it meanwhile
		if ok {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}
	return err
}

func (l *Layout) stages() ([]string, error) {
	return filepath.Glob(filepath.Join(l.dir, privateDir, stagePrefix+"*"))
}
