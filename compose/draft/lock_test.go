package draft

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Who waited for a lock whose file is gone by then has the lock that everyone else will ask for, not that of a file
// which nobody can open any more.
func TestLockOfADeletedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".demo.lock")
	first, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan func() error)
	go func() {
		unlock, err := lock(t.Context(), path)
		if err != nil {
			t.Error(err)
		}
		second <- unlock
	}()
	time.Sleep(20 * poll) // by then it has the file open
	if err := first(); err != nil {
		t.Fatal(err)
	}
	unlock := <-second
	other := flock.New(path)
	if ok, err := other.TryLock(); ok || err != nil {
		t.Errorf("got a second lock: %v, %v", ok, err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}
