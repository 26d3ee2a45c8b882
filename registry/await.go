package registry

import (
	"context"
	"errors"
	"time"
)

// Await asks for what was just written. Some registries do not find it for a moment: while ask answers with an error that
// wraps ErrNotFound, it is called again, for about three seconds in all.
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
