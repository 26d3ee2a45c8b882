package draft

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// A process may wait for a lock while its holder deletes the lock file. It must then lock the new file, which others
// open too, and not the deleted one.
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
	time.Sleep(20 * poll) // until the goroutine has opened the file
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
