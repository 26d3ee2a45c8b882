package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"mtool/registry"
)

// attempts counts the tries of one operation and waits between them.
type attempts struct {
	client *Client
	made   int
	still  time.Duration // how long the attempts have stalled
	pause  *backoff.ExponentialBackOff
}

func (c *Client) attempts() *attempts {
	return &attempts{client: c, pause: &backoff.ExponentialBackOff{
		InitialInterval:     c.options.Pause,
		RandomizationFactor: 0.5,
		Multiplier:          2,
		MaxInterval:         30 * time.Second,
	}}
}

// wait returns nil when the operation that failed with err may be tried again, after the wait that is due; otherwise
// err.
func (a *attempts) wait(ctx context.Context, err error) error {
	a.made++
	var e *Error
	if !errors.As(err, &e) || !e.again {
		return err
	}
	if ctx.Err() != nil {
		return e.interrupted(ctx)
	}
	limit, waits := e.most(a.client.options.Attempts), a.client.waits
	still := stalledFor(err)
	a.still += still
	if e.after > waits.left() {
		e.until = time.Now().Add(e.after)
		return e.last(a.made)
	}
	tooStill := still > 0 && a.still+still > stillLimit(a.client.options.MaxWait)
	if a.made >= limit || tooStill {
		return e.last(a.made)
	}
	d := a.pause.NextBackOff()
	if e.after > 0 {
		d = e.after
	}
	if d = waits.begin(d); d <= 0 {
		e.waited = waits.limit
		return e.last(a.made)
	}
	defer waits.end()
	if waits.isNew(fmt.Sprint(e.Host, e.Kind, e.Status, a.made)) {
		a.client.options.Note(fmt.Sprintf("waiting %s before attempt %d of %d: %v", roundWait(d), a.made+1, limit, err))
	}
	doing := fmt.Sprintf("waiting %s before attempt %d of %d", roundWait(d), a.made+1, limit)
	_, waiting := registry.Begin(ctx, registry.Work{Doing: doing, Name: e.Host})
	defer waiting.End(registry.Present, nil)
	if registry.Sleep(ctx, d) != nil {
		return e.interrupted(ctx)
	}
	return nil
}

// retry runs f until it succeeds, fails for good, or has used up its attempts.
func retry[T any](ctx context.Context, c *Client, f func() (T, error)) (T, error) {
	for a := c.attempts(); ; {
		v, err := f()
		if err == nil {
			return v, nil
		}
		if err := a.wait(ctx, err); err != nil {
			return v, err
		}
	}
}

// roundWait keeps notes readable.
func roundWait(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
