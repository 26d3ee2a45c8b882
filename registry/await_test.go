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
		answers []error // the last one is repeated
		asked   int
		want    error
	}{
		"there":          {[]error{nil}, 1, nil},
		"there later":    {[]error{fmt.Errorf("x: %w", ErrNotFound), ErrNotFound, nil}, 3, nil},
		"never":          {[]error{ErrNotFound}, 5, ErrNotFound},
		"something else": {[]error{ErrNotFound, other}, 2, other},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				err := Await(t.Context(), func() error {
					asked++
					return test.answers[min(asked, len(test.answers))-1]
				})
				if !errors.Is(err, test.want) || asked != test.asked {
					t.Errorf("got %v after %d, want %v after %d", err, asked, test.want, test.asked)
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
		asked int
		after time.Duration
	}{
		"pauses double":           {Retry{First: time.Second, Tries: 4}, 4, 7 * time.Second},
		"up to the longest":       {Retry{First: time.Second, Longest: 2 * time.Second, Tries: 4}, 4, 5 * time.Second},
		"the last one at the end": {Retry{First: time.Second, Total: 5 * time.Second}, 4, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked, start, failed := 0, time.Now(), errors.New("failed")
				err := test.retry.Do(t.Context(), func(error) bool { return true }, func() error { asked++; return failed })
				if took := time.Since(start); !errors.Is(err, failed) || asked != test.asked || took != test.after {
					t.Errorf("got %v after %d tries and %s, want %d and %s", err, asked, took, test.asked, test.after)
				}
			})
		})
	}
}
