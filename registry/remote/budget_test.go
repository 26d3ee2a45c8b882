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
		for range 3 {
			if err := later.wait(t.Context(), busy(30*time.Second)); err != nil {
				t.Errorf("of two minutes 90 s are left, but: %v", err)
			}
		}
		if took := time.Since(began) - time.Hour; took != 2*time.Minute {
			t.Errorf("all waits took %s, not two minutes", took)
		}
		err := c.attempts().wait(t.Context(), busy(0))
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
		if err := c.attempts().wait(t.Context(), busy(2*time.Minute)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 119*time.Second {
			t.Errorf("waited for %s, want what is left of two minutes", took)
		}
	})
}

// Nothing comes of two minutes where six hours are asked for.
func TestWaitBeyondTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := NewClient(Options{}).attempts().wait(t.Context(), busy(6*time.Hour))
		if err == nil || !strings.HasSuffix(err.Error(), "busy (it asks to wait 6h0m0s)") || time.Since(began) > 0 {
			t.Errorf("after %s: %v", time.Since(began), err)
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
