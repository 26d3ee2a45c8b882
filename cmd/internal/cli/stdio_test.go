package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// Lines that goroutines print at the same time stay whole, without a data race.
func TestConcurrentNotes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := newApp(Stdio{Err: &out})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				a.note("a line of some length")
			}
		})
	}
	all.Wait()
	if got := strings.Count(out.String(), "a line of some length\n"); got != 800 {
		t.Errorf("got %d whole lines of 800", got)
	}
}
