package buildkit

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
)

// timeoutError is a build that took too long, or said nothing for too long.
type timeoutError struct{ text, next string }

func (e *timeoutError) Error() string { return e.text }

// Hint is the next action.
func (e *timeoutError) Hint() string { return e.next }

// limit ends a context after a time; 0: never.
func limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, &timeoutError{fmt.Sprintf("not done within --timeout %s", d), "a longer --timeout, or a native worker in place of an emulator: --worker ADDRESS"})
}

// idle ends a build that says nothing for too long.
type idle struct {
	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer // nil: no limit
	last  string      // the step that ran when something was last said
}

func watchIdle(ctx context.Context, d time.Duration) (context.Context, *idle) {
	w := &idle{limit: d}
	if d <= 0 {
		return ctx, w
	}
	ctx, cancel := context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(d, func() { cancel(w.silence()) })
	return ctx, w
}

func (w *idle) heard(running client.Vertex) {
	if w.timer == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = running.Name
	w.timer.Reset(w.limit)
}

func (w *idle) silence() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf("nothing was said for --idle-timeout %s", w.limit)
	if w.last != "" {
		text += fmt.Sprintf(", while step %q ran", w.last)
	}
	return &timeoutError{text, "a longer --idle-timeout, or see why the step hangs"}
}

func (w *idle) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// crashError ends a build whose emulator reported a crash: what comes after is seldom right, and often hangs.
type crashError struct {
	target v1.Platform
	step   client.Vertex
	signal string
}

func (e *crashError) Error() string { return "uncaught target signal " + e.signal }

// onCrash stops the solve when the step is an emulated one.
func (s solve) onCrash(stop context.CancelCauseFunc) func(client.Vertex, string) {
	return func(step client.Vertex, signal string) {
		if s.machine.emulator(s.platformOf(step.Name)) != "" {
			stop(&crashError{s.target, step, signal})
		}
	}
}
