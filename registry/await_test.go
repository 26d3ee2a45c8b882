package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
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
