package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwait(t *testing.T) {
	t.Parallel()
	other := errors.New("other")
	for name, test := range map[string]struct {
		answers []error // the last one repeats
		calls   int
		want    error
	}{
		"found":       {[]error{nil}, 1, nil},
		"found later": {[]error{fmt.Errorf("x: %w", ErrNotFound), ErrNotFound, nil}, 3, nil},
		"never found": {[]error{ErrNotFound}, 5, ErrNotFound},
		"other error": {[]error{ErrNotFound, other}, 2, other},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := Await(t.Context(), func() error {
					calls++
					return test.answers[min(calls, len(test.answers))-1]
				})
				if !errors.Is(err, test.want) || calls != test.calls {
					t.Errorf("got %v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Await(ctx, func() error { return ErrNotFound }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v", err)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		retry Retry
		calls int
		after time.Duration
	}{
		"pauses double":       {Retry{First: time.Second, Tries: 4}, 4, 7 * time.Second},
		"up to the longest":   {Retry{First: time.Second, Longest: 2 * time.Second, Tries: 4}, 4, 5 * time.Second},
		"last try at the end": {Retry{First: time.Second, Total: 5 * time.Second}, 4, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls, start, failed := 0, time.Now(), errors.New("failed")
				err := test.retry.Do(t.Context(), func(error) bool { return true }, func() error { calls++; return failed })
				if took := time.Since(start); !errors.Is(err, failed) || calls != test.calls || took != test.after {
					t.Errorf("got %v after %d calls and %s, want %d and %s", err, calls, took, test.calls, test.after)
				}
			})
		})
	}
}
