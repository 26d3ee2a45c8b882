package build

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"

	"mtool/build/advice"
	"mtool/registry"
)

// timeoutError is a build that took too long, or said nothing for too long.
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

// lookupLimit is how long a worker elsewhere may look for a base image or a cache without a word. Its requests end by
// themselves where it is a newer one, and never where it is not; what it fetches after that is watched by stallTimeout.
const lookupLimit = 5 * time.Minute

// idleTimeout ends a build that says nothing for too long.
type idleTimeout struct {
	mu     sync.Mutex
	limit  time.Duration // 0: none
	now    time.Duration // the one for last
	timer  *time.Timer
	last   string // the step that ran when something was last said
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

func (w *idleTimeout) silence() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &timeoutError{text: fmt.Sprintf("nothing was said for %s", w.now), Advice: advice.Of(advice.MoreSilence)}
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

// stallTimeout ends a solve whose worker, one elsewhere, fetches something of which no byte comes any more. Such a worker has no
// limit of its own, and repeats several times a second how far it is: it is not silent.
type stallTimeout struct {
	limit time.Duration // negative: none
	stop  context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	open  map[transfer]int64 // how far each is
	busy  map[transfer]bool  // what was fetched is being unpacked, for as long as a disk is slow
	steps map[digest.Digest]string
}

// transfer is what a step fetches.
type transfer struct {
	step digest.Digest
	id   string
}

func newStallTimeout(limit time.Duration, stop context.CancelCauseFunc) *stallTimeout {
	return &stallTimeout{limit: limit, stop: stop, open: map[transfer]int64{}, busy: map[transfer]bool{}, steps: map[digest.Digest]string{}}
}

// watchTransfers is for one solve. The requests of our own worker end by themselves, and are made again.
func (w *worker) watchTransfers(o Options, stop context.CancelCauseFunc) *stallTimeout {
	if w.embedded() {
		return newStallTimeout(-1, stop)
	}
	return newStallTimeout(cmp.Or(o.Registries.Idle, time.Minute), stop)
}

// update takes what the worker says, and tells whether it is more than it has said before.
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

// moved reports whether a transfer has, or something else that a step tells of.
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
			text:   fmt.Sprintf("step %q: nothing moved for %s while the worker fetched %s and had %d bytes of it", w.steps[t.step], w.limit, t.id, at),
			Advice: advice.Say(reachRegistry), kind: registry.ErrUnavailable,
		})
		return
	}
}

const (
	heartbeatEvery = 5 * time.Second
	heartbeatWait  = 20 * time.Second // a machine that is short of memory may take that long
)

// heartbeat asks a worker elsewhere now and then whether it is still there, and ends the solve when it does not answer. A link
// that goes down says nothing, and TCP tries again for a quarter of an hour. Keep-alive messages of gRPC would do, but
// buildkitd takes them for an attack when they come more often than every five minutes.
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
				why:    fmt.Sprintf("it stopped answering in the middle, and said nothing for %s", heartbeatWait),
				Advice: advice.Of(advice.WorkerAlive),
			})
			return
		}
	}
}
