package registry

import (
	"context"
	"errors"
	"time"
)

// Retry says how often something is tried, and with which pauses.
type Retry struct {
	First   time.Duration // the first pause; each one after it is twice as long
	Longest time.Duration // of the pauses; 0: no limit
	Tries   int           // the first one included; 0: no limit
	Total   time.Duration // since the first try; the last one is made when this is over. 0: no limit
}

// Do calls ask until it succeeds, fails with an error for which again is false, or has used up its tries. It returns
// the last result, or why ctx ended.
func (r Retry) Do(ctx context.Context, again func(error) bool, ask func() error) error {
	end := time.Now().Add(r.Total)
	pause := r.First
	for n := 1; ; n++ {
		err := ask()
		if err == nil || !again(err) || n == r.Tries {
			return err
		}
		if r.Longest > 0 {
			pause = min(pause, r.Longest)
		}
		if r.Total > 0 {
			left := time.Until(end)
			if left <= 0 {
				return err
			}
			pause = min(pause, left)
		}
		if err := Sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

// Sleep returns nil when d has passed, or earlier the reason why ctx ended.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Await calls ask, which looks up what was just written. Some registries take a moment to find it: while the error
// wraps ErrNotFound, Await asks again, for about three seconds in all.
func Await(ctx context.Context, ask func() error) error {
	missing := func(err error) bool { return errors.Is(err, ErrNotFound) }
	return Retry{First: 200 * time.Millisecond, Tries: 5}.Do(ctx, missing, ask)
}
