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

// busy is the error for a registry that asks the client to wait.
func busy(after time.Duration) error {
	return &Error{Kind: registry.ErrUnavailable, Message: "busy", again: true, after: after}
}

// All requests of a client share two minutes of waiting. Concurrent waits count once, and later ones use the rest.
func TestSharedWaitBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{Attempts: 100})
		start := time.Now()
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
		if took := time.Since(start); took > 31*time.Second {
			t.Errorf("64 concurrent waits of 30 s took %s", took)
		}
		time.Sleep(time.Hour) // is not a wait
		later := c.attempts()
		for range 2 {
			if err := later.wait(t.Context(), busy(30*time.Second)); err != nil {
				t.Errorf("waiting with 90 s of the budget left: %v", err)
			}
		}
		var err error
		for n := 0; err == nil && n < 50; n++ {
			err = later.wait(t.Context(), busy(0)) // the last wait is shortened to the rest
		}
		if took := time.Since(start) - time.Hour; took != 2*time.Minute {
			t.Errorf("all waits took %s, want two minutes", took)
		}
		err = c.attempts().wait(t.Context(), busy(0))
		if !errors.Is(err, registry.ErrUnavailable) ||
			!strings.Contains(err.Error(), "busy (given up after attempt 1: all requests together have waited for 2m0s)") {
			t.Errorf("after two minutes: got %v, want an error with the reason", err)
		}
		if took := time.Since(start) - time.Hour; took != 2*time.Minute {
			t.Errorf("all waits took %s, want no wait after two minutes", took)
		}
	})
}

// An interrupted wait uses only the time that it took.
func TestInterruptedWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.attempts().wait(ctx, busy(2*time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		start := time.Now()
		if err := c.attempts().wait(t.Context(), busy(119*time.Second)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 119*time.Second {
			t.Errorf("waited for %s, want the rest of two minutes", took)
		}
	})
}

// A registry that asks for a longer wait than the budget's rest is an error at once.
func TestWaitBeyondBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := NewClient(Options{})
		start := time.Now()
		err := c.attempts().wait(t.Context(), busy(6*time.Hour))
		want := "busy (it asks to wait 6h0m0s, until " + start.Add(6*time.Hour).Format("2006-01-02 15:04:05 MST") + ")"
		if err == nil || !strings.HasSuffix(err.Error(), want) || time.Since(start) > 0 {
			t.Errorf("after %s: %v; want %q", time.Since(start), err, want)
		}
		if err := c.attempts().wait(t.Context(), busy(time.Minute)); err != nil {
			t.Fatal(err)
		}
		err = c.attempts().wait(t.Context(), busy(61*time.Second)) // one second more than is left
		if err == nil || !strings.Contains(err.Error(), "asks to wait 1m1s") || time.Since(start) > time.Minute {
			t.Errorf("after %s: %v; want an error at once", time.Since(start), err)
		}
	})
}

// README and help document these defaults.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	o := NewClient(Options{}).options
	if o.Attempts != 6 || o.MaxWait != 2*time.Minute || o.Idle != time.Minute || o.Pause != 250*time.Millisecond {
		t.Errorf("got %+v", o)
	}
}
