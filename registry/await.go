package registry

import (
	"context"
	"errors"
	"time"
)

// Await calls ask, which looks up what was just written. Some registries take a moment to find it: while the error
// wraps ErrNotFound, Await asks again, for about three seconds in all.
func Await(ctx context.Context, ask func() error) error {
	err := ask()
	for pause := 200 * time.Millisecond; errors.Is(err, ErrNotFound) && pause < 2*time.Second; pause *= 2 {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		err = ask()
	}
	return err
}
