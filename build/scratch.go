package build

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// scratch is a directory that lasts as long as a build. A lock beside it tells the living from those that a killed build
// left, which the next build removes.
type scratch struct {
	path string
	lock *flock.Flock
}

const scratchPrefix = ".build-"

func newScratch(parent string) (*scratch, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	sweep(parent)
	for {
		path, err := os.MkdirTemp(parent, scratchPrefix)
		if err != nil {
			return nil, err
		}
		s := &scratch{path: path, lock: flock.New(path + ".lock")}
		mine, err := s.lock.TryLock()
		if mine {
			return s, nil
		}
		s.remove()
		if err != nil { // without one, a sweep came between the file and its lock: the next name then
			return nil, err
		}
	}
}

func (s *scratch) remove() {
	_ = os.RemoveAll(s.path) // what stays is swept by the next build
	_ = os.Remove(s.lock.Path())
	_ = s.lock.Close()
}

// sweep removes what nobody holds the lock of. It is only tidying: what can't be removed is left.
func sweep(parent string) {
	locks, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*.lock"))
	if err != nil {
		return
	}
	for _, path := range locks {
		s := &scratch{path: path[:len(path)-len(".lock")], lock: flock.New(path)}
		if free, err := s.lock.TryLock(); err == nil && free {
			s.remove()
		}
	}
}
