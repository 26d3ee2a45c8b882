package remote

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mtool/registry"
)

// busy is the answer of a registry that asks for patience.
func busy(after time.Duration) error {
	return &Error{Kind: registry.ErrUnavailable, Message: "busy", again: true, after: after}
}

// Two minutes are those of the whole command: requests at one time share them, and those after have what is left.
func TestWaitsShareOneBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{Attempts: 100})
		began := time.Now()
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				if err := c.attempts().wait(t.Context(), busy(30*time.Second)); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if took := time.Since(began); took > 31*time.Second {
			t.Errorf("64 waits of 30 s at one time took %s", took)
		}
		time.Sleep(time.Hour) // in which nobody waits
		later := c.attempts()
		for range 2 {
			if err := later.wait(t.Context(), busy(30*time.Second)); err != nil {
				t.Errorf("of two minutes 90 s are left, but: %v", err)
			}
		}
		var err error
		for n := 0; err == nil && n < 50; n++ {
			err = later.wait(t.Context(), busy(0)) // the last wait is what is left
		}
		if took := time.Since(began) - time.Hour; took != 2*time.Minute {
			t.Errorf("all waits took %s, not two minutes", took)
		}
		err = c.attempts().wait(t.Context(), busy(0))
		if !errors.Is(err, registry.ErrUnavailable) ||
			!strings.Contains(err.Error(), "busy (given up after attempt 1: all requests together have waited for 2m0s)") {
			t.Errorf("after two minutes: got %v, want the end that says why", err)
		}
		if took := time.Since(began) - time.Hour; took != 2*time.Minute {
			t.Errorf("it waited on, %s in all", took)
		}
	})
}

// A wait that is broken off gives back what it did not take.
func TestWaitBrokenOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.attempts().wait(ctx, busy(2*time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		began := time.Now()
		if err := c.attempts().wait(t.Context(), busy(119*time.Second)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 119*time.Second {
			t.Errorf("waited for %s, want what is left of two minutes", took)
		}
	})
}

// Nothing comes of two minutes where six hours are asked for, nor of what is left of them where a little more is.
func TestWaitBeyondTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{})
		began := time.Now()
		err := c.attempts().wait(t.Context(), busy(6*time.Hour))
		want := "busy (it asks to wait 6h0m0s, until " + began.Add(6*time.Hour).Format("2006-01-02 15:04:05 MST") + ")"
		if err == nil || !strings.HasSuffix(err.Error(), want) || time.Since(began) > 0 {
			t.Errorf("after %s: %v; want %q", time.Since(began), err, want)
		}
		if err := c.attempts().wait(t.Context(), busy(time.Minute)); err != nil {
			t.Fatal(err)
		}
		err = c.attempts().wait(t.Context(), busy(61*time.Second)) // one second more than is left
		if err == nil || !strings.Contains(err.Error(), "asks to wait 1m1s") || time.Since(began) > time.Minute {
			t.Errorf("after %s: %v; want the end at once", time.Since(began), err)
		}
	})
}

// What README and help promise of a client that nobody tuned.
func TestPatienceByDefault(t *testing.T) {
	t.Parallel()
	o := NewClient(Options{}).options
	if o.Attempts != 6 || o.MaxWait != 2*time.Minute || o.Idle != time.Minute || o.Pause != 250*time.Millisecond {
		t.Errorf("got %+v", o)
	}
}
