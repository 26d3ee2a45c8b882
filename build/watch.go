package build

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"

	"mtool/build/advice"
	"mtool/registry"
)

// timeoutError means that a build took too long, or was silent for too long.
type timeoutError struct {
	text string
	kind error // nil: the build's own doing
	advice.Advice
}

func (e *timeoutError) Error() string { return e.text }
func (e *timeoutError) Unwrap() error { return e.kind }

const reachRegistry = "see whether the worker reaches the registry"

// limit ends a context after a time; 0: never.
func limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, &timeoutError{
		text: fmt.Sprintf("not done within %s", d), Advice: advice.Of(advice.MoreTime),
	})
}

// lookupLimit is how long a remote worker may silently look up a base image or a cache. Requests of newer workers
// time out by themselves, those of older ones never do. stallTimeout watches what it fetches after that.
const lookupLimit = 5 * time.Minute

// idleTimeout ends a build that is silent for too long.
type idleTimeout struct {
	mu     sync.Mutex
	limit  time.Duration // 0: none
	now    time.Duration // the limit for last
	timer  *time.Timer
	last   string // the step that ran at the last update
	cancel context.CancelCauseFunc
}

func newIdleTimeout(ctx context.Context, d time.Duration) (context.Context, *idleTimeout) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idleTimeout{limit: d, now: d, cancel: cancel}
	w.timer = time.AfterFunc(cmp.Or(max(d, 0), lookupLimit), func() { cancel(w.silence()) })
	if d <= 0 {
		w.timer.Stop()
	}
	return ctx, w
}

// update is called for every status update. The embedded worker limits and retries its own requests, so the build
// waits for their result.
func (w *idleTimeout) update(running client.Vertex, own bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last, w.now = running.Name, w.limit
	switch {
	// an export fetches what no step has needed
	case own && (fetches(w.last) || strings.HasPrefix(w.last, "exporting to ")):
		w.now = 0
	case looksUp(w.last) && (w.now <= 0 || w.now > lookupLimit):
		w.now = lookupLimit
	}
	w.timer.Stop()
	if w.now > 0 {
		w.timer.Reset(w.now)
	}
}

// looksUp reports whether the step looks up a base image, the image of a "# syntax=" line, or a cache in a registry.
func looksUp(step string) bool {
	place, _, found := strings.Cut(step, "] load metadata for ")
	return found && (place == "[internal" || strings.HasPrefix(place, "[context ")) ||
		strings.HasPrefix(step, "resolve image config for ") ||
		strings.HasPrefix(step, "importing cache manifest from ")
}

// fetches reports whether the step reads from a registry, or writes the cache to one.
func fetches(step string) bool {
	_, rest, inStage := strings.Cut(step, "] ")
	named := inStage && strings.HasPrefix(step, "[context ") && !strings.HasPrefix(rest, "load ") &&
		!strings.Contains(rest, "://")
	return looksUp(step) || named || inStage && strings.HasPrefix(rest, "FROM ") ||
		strings.HasPrefix(step, "docker-image://") ||
		strings.HasPrefix(step, "exporting cache to registry")
}

func (w *idleTimeout) silence() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &timeoutError{text: fmt.Sprintf("no output for %s", w.now), Advice: advice.Of(advice.MoreSilence)}
	if w.last != "" {
		e.text += fmt.Sprintf(", while step %q ran", w.last)
	}
	if fetches(w.last) {
		e.kind, e.Advice = registry.ErrUnavailable, advice.Say(reachRegistry)
	}
	return e
}

func (w *idleTimeout) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// stallTimeout ends a solve if a download of a remote worker has stalled. Such a worker has no limit of its own, and
// it repeats its progress several times a second, so it is not silent.
type stallTimeout struct {
	limit time.Duration // negative: none
	stop  context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	open  map[transfer]int64 // the progress of each
	busy  map[transfer]bool  // being unpacked, which may take long on a slow disk
	steps map[digest.Digest]string
}

// transfer is what a step fetches.
type transfer struct {
	step digest.Digest
	id   string
}

func newStallTimeout(limit time.Duration, stop context.CancelCauseFunc) *stallTimeout {
	return &stallTimeout{
		limit: limit, stop: stop, open: map[transfer]int64{}, busy: map[transfer]bool{},
		steps: map[digest.Digest]string{},
	}
}

// watchTransfers returns the timeout for one solve. The embedded worker limits and retries its own requests.
func (w *worker) watchTransfers(o Options, stop context.CancelCauseFunc) *stallTimeout {
	if w.embedded() {
		return newStallTimeout(-1, stop)
	}
	return newStallTimeout(cmp.Or(o.Registries.Idle, time.Minute), stop)
}

// update records a worker's status, and reports whether it is news.
func (w *stallTimeout) update(s *client.SolveStatus) (news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	moved := false
	for _, t := range s.Statuses {
		moved = w.moved(t) || moved
	}
	for _, v := range s.Vertexes {
		w.steps[v.Digest] = v.Name
		if v.Completed != nil {
			maps.DeleteFunc(w.open, func(t transfer, _ int64) bool { return t.step == v.Digest })
			maps.DeleteFunc(w.busy, func(t transfer, _ bool) bool { return t.step == v.Digest })
		}
	}
	waits := w.limit >= 0 && len(w.open) > 0 && len(w.busy) == 0
	switch {
	case !waits && w.timer != nil:
		w.timer.Stop()
		w.timer = nil
	case waits && w.timer == nil:
		w.timer = time.AfterFunc(w.limit, w.over)
	case waits && moved:
		w.timer.Reset(w.limit)
	}
	return moved || len(s.Vertexes)+len(s.Logs)+len(s.Warnings) > 0
}

// moved reports whether a transfer, or other progress of a step, has moved.
func (w *stallTimeout) moved(s *client.VertexStatus) bool {
	t := transfer{s.Vertex, s.ID}
	if strings.HasPrefix(s.ID, "extracting ") {
		w.busy[t] = true
		if s.Completed != nil {
			delete(w.busy, t)
		}
		return true
	}
	if s.Total <= 0 || s.Completed != nil || s.Current >= s.Total {
		delete(w.open, t)
		return true
	}
	before, known := w.open[t]
	w.open[t] = s.Current
	return !known || before != s.Current
}

// over ends the solve.
func (w *stallTimeout) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t, at := range w.open {
		w.stop(&timeoutError{
			text: fmt.Sprintf("step %q: nothing moved for %s while the worker fetched %s and had %d bytes of it",
				w.steps[t.step], w.limit, t.id, at),
			Advice: advice.Say(reachRegistry), kind: registry.ErrUnavailable,
		})
		return
	}
}

const (
	heartbeatEvery = 5 * time.Second
	heartbeatWait  = 20 * time.Second // a machine that is short of memory may take that long
)

// heartbeat regularly checks that a remote worker is still there, and ends the solve if it does not answer. A broken
// link is silent, and TCP retries for a quarter of an hour. gRPC's keep-alive would do, but buildkitd takes it for an
// attack if it comes more often than every five minutes.
func (w *worker) heartbeat(ctx context.Context, stop context.CancelCauseFunc) {
	if w.embedded() {
		return
	}
	for registry.Sleep(ctx, heartbeatEvery) == nil {
		short, cancel := context.WithTimeout(ctx, heartbeatWait)
		_, err := w.client.ListWorkers(short)
		late := short.Err() != nil
		cancel()
		if err != nil && late && ctx.Err() == nil {
			stop(&unreachableError{
				addr: w.Addr, err: err, kind: registry.ErrUnavailable,
				why:    fmt.Sprintf("it stopped answering in the middle, and was silent for %s", heartbeatWait),
				Advice: advice.Of(advice.WorkerAlive),
			})
			return
		}
	}
}
