package build

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// scratch is a directory that lasts as long as a build. A lock file next to it marks it as in use; the next build
// removes those that a killed build left.
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
		if err != nil { // a sweep came between the file and its lock: try the next name
			return nil, err
		}
	}
}

func (s *scratch) remove() {
	_ = os.RemoveAll(s.path) // the next build sweeps what is left
	_ = os.Remove(s.lock.Path())
	_ = s.lock.Close()
}

// sweep removes directories whose lock no process holds. It only tidies up: what can't be removed is left.
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

// Scratch creates a directory below parent that the caller removes; if this process is killed, the next build removes
// it.
func Scratch(parent string) (path string, remove func(), err error) {
	s, err := newScratch(parent)
	if err != nil {
		return "", nil, err
	}
	return s.path, s.remove, nil
}
