package remote

import (
	"context"
	"sync"
	"time"
)

// budget is the time that all requests of a client together may wait between attempts. Time in which several wait is
// spent once: a registry that makes sixty requests wait a second has used one second.
type budget struct {
	limit time.Duration

	mu      sync.Mutex
	spent   time.Duration // by waits that are over
	waiting int
	since   time.Time // when the first current wait began
	noted   map[string]bool
}

// begin returns how much of d the caller may wait, 0 when nothing is left. Unless it is 0 the caller calls end
// afterwards.
func (b *budget) begin(d time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.rest()
	if left == 0 {
		return 0
	}
	if b.waiting == 0 {
		b.since = time.Now()
	}
	b.waiting++
	return min(d, left)
}

// left returns how long one more request may wait, if it does so at once.
func (b *budget) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rest()
}

// rest is left for callers that hold mu.
func (b *budget) rest() time.Duration {
	rest := b.limit - b.spent
	if b.waiting > 0 {
		rest -= time.Since(b.since)
	}
	return max(rest, 0)
}

func (b *budget) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting--; b.waiting == 0 {
		b.spent += time.Since(b.since)
		b.noted = nil
	}
}

// isNew reports whether no request that is waiting now has noted the same: a registry that is down fails all of them
// alike.
func (b *budget) isNew(what string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noted[what] {
		return false
	}
	if b.noted == nil {
		b.noted = map[string]bool{}
	}
	b.noted[what] = true
	return true
}

// pace spaces requests evenly.
type pace struct {
	every time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn. A nil pace never waits.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	at := time.Now()
	if at.Before(p.next) {
		at = p.next
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
