package build

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"

	"mtool/registry"
)

// timeoutError is a build that took too long, or said nothing for too long.
type timeoutError struct {
	text, next string
	kind       error // nil: the build's own doing
}

func (e *timeoutError) Error() string { return e.text }
func (e *timeoutError) Unwrap() error { return e.kind }

// Hint is the next action.
func (e *timeoutError) Hint() string { return e.next }

// limit ends a context after a time; 0: never.
func limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, &timeoutError{
		text: fmt.Sprintf("not done within --timeout %s", d), next: "a longer --timeout, or a native worker in place of an emulator: --worker ADDRESS",
	})
}

// lookupLimit is how long a worker elsewhere may look for a base image or a cache without a word. Its requests end by
// themselves where it is a newer one, and never where it is not; what it fetches after that is watched by standstill.
const lookupLimit = 5 * time.Minute

// idle ends a build that says nothing for too long.
type idle struct {
	mu     sync.Mutex
	limit  time.Duration // 0: none
	now    time.Duration // the one for last
	timer  *time.Timer
	last   string // the step that ran when something was last said
	cancel context.CancelCauseFunc
}

func watchIdle(ctx context.Context, d time.Duration) (context.Context, *idle) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idle{limit: d, now: d, cancel: cancel}
	w.timer = time.AfterFunc(cmp.Or(max(d, 0), lookupLimit), func() { cancel(w.silence()) })
	if d <= 0 {
		w.timer.Stop()
	}
	return ctx, w
}

// heard is called for every status update. Requests of our own worker have a limit and retries of their own, so the build
// waits for their result.
func (w *idle) heard(running client.Vertex, own bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.now = running.Name, w.limit
	switch {
	case own && (fetches(w.last) || strings.HasPrefix(w.last, "exporting to ")): // which fetches what no step has needed
		w.now = 0
	case looksUp(w.last) && (w.now <= 0 || w.now > lookupLimit):
		w.now = lookupLimit
	}
	w.timer.Stop()
	if w.now > 0 {
		w.timer.Reset(w.now)
	}
}

// looksUp: the step asks a registry for a base image, for the image that a "# syntax=" line names, or for what a cache has.
func looksUp(step string) bool {
	place, _, found := strings.Cut(step, "] load metadata for ")
	return found && (place == "[internal" || strings.HasPrefix(place, "[context ")) || strings.HasPrefix(step, "resolve image config for ") ||
		strings.HasPrefix(step, "importing cache manifest from ")
}

// fetches: the step reads from a registry, or writes the cache to one.
func fetches(step string) bool {
	_, rest, inStage := strings.Cut(step, "] ")
	named := inStage && strings.HasPrefix(step, "[context ") && !strings.HasPrefix(rest, "load ") && !strings.Contains(rest, "://")
	return looksUp(step) || named || inStage && strings.HasPrefix(rest, "FROM ") || strings.HasPrefix(step, "docker-image://") ||
		strings.HasPrefix(step, "exporting cache to registry")
}

func (w *idle) silence() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &timeoutError{text: fmt.Sprintf("nothing was said for --idle-timeout %s", w.now), next: "a longer --idle-timeout, or see why the step hangs"}
	if w.limit <= 0 || w.limit > w.now {
		e.text = fmt.Sprintf("nothing was said for %s", w.now)
	}
	if w.last != "" {
		e.text += fmt.Sprintf(", while step %q ran", w.last)
	}
	if fetches(w.last) {
		e.kind, e.next = registry.ErrUnavailable, "see whether the worker reaches the registry"
	}
	return e
}

func (w *idle) stop() {
	w.timer.Stop()
	w.cancel(nil)
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
		if s.worker.emulator(s.platformOf(step.Name)) != "" {
			stop(&crashError{s.target, step, signal})
		}
	}
}
