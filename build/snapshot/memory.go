package snapshot

import (
	"crypto/rand"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/tonistiigi/fsutil/types"
)

// Memory records which contents workers may have of the files of a context, by path, size and time.
type Memory struct {
	path string // "": not stored
	lock *flock.Flock

	mu      sync.Mutex
	state   state
	seen    int  // files that were requested
	changed bool // the stored memory is out of date
}

type state struct {
	Key   string // under which workers keep these files
	Files map[string]*record
}

// record is what is known of one path.
type record struct {
	Last  hashed
	Facts []fact
}

// hashed is a file as it was when its content was last hashed. Changed is 0 when a change could not be noticed without
// hashing.
type hashed struct {
	ID            inode
	Size, ModTime int64
	Sum           digest
}

// fact states that what was sent with this size and time had this content.
type fact struct {
	Size, ModTime int64
	Sum           digest
	Varies        bool // or another one
}

// Open opens the memory in the file at path. If there is none, or it can't be used, a new one starts: workers are then
// sent every file, as with an empty path. While it is open the file has another name, so that a killed command leaves
// nothing that may be wrong.
func Open(path string) *Memory {
	m := &Memory{state: state{Key: rand.Text(), Files: map[string]*record{}}, changed: true}
	if path == "" || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return m
	}
	lock := flock.New(path + lockSuffix)
	if mine, err := lock.TryLock(); err != nil || !mine {
		return m // another command builds from this directory
	}
	m.path, m.lock = path, lock
	kept, err := read(path)
	if err == nil && take(path) == nil {
		m.state, m.changed = kept, false
		return m
	}
	_ = Prune(filepath.Dir(path), Unused) // once for each directory that is built from; if it fails, another time
	return m
}

// The extensions of a memory's lock, and of an open memory.
const (
	lockSuffix  = ".lock"
	takenSuffix = ".taken"
)

// Unused is how long an unused memory is kept.
const Unused = 60 * 24 * time.Hour

// Prune removes the memories in dir that no command has used for that long, and what killed commands left. Those in use
// stay.
func Prune(dir string, unused time.Duration) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var errs []error
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < unused {
			continue
		}
		name, _, _ := strings.Cut(e.Name(), ".")
		lock := flock.New(filepath.Join(dir, name+lockSuffix), flock.SetFlag(os.O_RDONLY))
		if mine, err := lock.TryLock(); !mine && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())), lock.Close())
	}
	return errors.Join(append(errs, err)...)
}

// Key is the key under which workers keep these files.
func (m *Memory) Key() string { return m.state.Key }

func read(path string) (s state, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	err = gob.NewDecoder(f).Decode(&s)
	if err == nil && (s.Key == "" || s.Files == nil) {
		err = fs.ErrInvalid
	}
	return s, err
}

// take renames the file for good: it must not come back when the machine goes down.
func take(path string) error {
	if err := os.Rename(path, path+takenSuffix); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Close stores the memory for the next command, unless it holds much more than was requested. One without files is
// stored too: with its key, a worker replaces its Dockerfile instead of keeping both.
func (m *Memory) Close() error {
	if m.lock == nil {
		return nil
	}
	defer m.lock.Close() //nolint:errcheck // it ends with the process
	m.mu.Lock()
	defer m.mu.Unlock()
	facts := 0
	for _, r := range m.state.Files {
		facts += len(r.Facts)
	}
	taken := m.path + takenSuffix
	switch {
	case facts > 4*m.seen+10000:
		return ignoreMissing(os.Remove(taken))
	case !m.changed && os.Chtimes(taken, time.Time{}, time.Now()) == nil && os.Rename(taken, m.path) == nil:
		return nil
	}
	if err := errors.Join(m.write(), ignoreMissing(os.Remove(taken))); err != nil {
		return fmt.Errorf("keeping what is known of the build context: %w", err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (m *Memory) write() error {
	f, err := os.CreateTemp(filepath.Dir(m.path), filepath.Base(m.path)+".new-")
	if err != nil {
		return err
	}
	err = errors.Join(gob.NewEncoder(f).Encode(m.state), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), m.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// recall returns what is known of the file at key with this size and time; nil: nothing.
func (m *Memory) recall(key string, size, modTime int64) *fact {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen++
	return m.fact(key, size, modTime)
}

func (m *Memory) fact(key string, size, modTime int64) *fact {
	r := m.state.Files[key]
	if r == nil {
		return nil
	}
	for i := range r.Facts {
		if f := &r.Facts[i]; f.Size == size && f.ModTime == modTime {
			return f
		}
	}
	return nil
}

// unchanged returns the content of a file that is exactly as it was when it was last hashed.
func (m *Memory) unchanged(key string, id inode, stat *types.Stat) (digest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.state.Files[key]
	if r == nil || r.Last.ID.Changed == 0 {
		return digest{}, false
	}
	return r.Last.Sum, r.Last == hashed{id, stat.Size, stat.ModTime, r.Last.Sum}
}

func (m *Memory) varies(key string, size, modTime int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.fact(key, size, modTime)
	return f != nil && f.Varies
}

// learn records the content of a file. A second content with the same size and time makes both doubtful for ever.
func (m *Memory) learn(key string, stat *types.Stat, id inode, sum digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.record(key)
	last := hashed{id, stat.Size, stat.ModTime, sum}
	m.changed = m.changed || r.Last != last
	r.Last = last
	if f := m.fact(key, stat.Size, stat.ModTime); f != nil {
		m.changed = m.changed || !f.Varies && f.Sum != sum
		f.Varies = f.Varies || f.Sum != sum
		return
	}
	m.changed = true
	r.Facts = append(r.Facts, fact{Size: stat.Size, ModTime: stat.ModTime, Sum: sum})
}

// doubt records that a file was sent only in part.
func (m *Memory) doubt(key string, stat *types.Stat) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = true
	if f := m.fact(key, stat.Size, stat.ModTime); f != nil {
		f.Varies = true
		return
	}
	r := m.record(key)
	r.Facts = append(r.Facts, fact{Size: stat.Size, ModTime: stat.ModTime, Varies: true})
}

func (m *Memory) record(key string) *record {
	r := m.state.Files[key]
	if r == nil {
		r = &record{}
		m.state.Files[key] = r
	}
	return r
}

// digest is the first half of a SHA-256 of a file's extended attributes and content.
type digest [16]byte

// inode identifies a file. Changed is the time of the last change, in nanoseconds; 0 when the system keeps none.
type inode struct {
	Dev, Ino uint64
	Changed  int64
}
