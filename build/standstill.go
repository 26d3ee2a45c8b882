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

	"mtool/registry"
)

// standstill ends a solve whose worker, one elsewhere, fetches something of which no byte comes any more. Such a worker has no
// limit of its own, and repeats several times a second how far it is: it is not silent.
type standstill struct {
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

func newStandstill(limit time.Duration, stop context.CancelCauseFunc) *standstill {
	return &standstill{limit: limit, stop: stop, open: map[transfer]int64{}, busy: map[transfer]bool{}, steps: map[digest.Digest]string{}}
}

// watchTransfers is for one solve. The requests of our own worker end by themselves, and are made again.
func (w *worker) watchTransfers(o Options, stop context.CancelCauseFunc) *standstill {
	if w.embedded() {
		return newStandstill(-1, stop)
	}
	return newStandstill(cmp.Or(o.Registries.Idle, time.Minute), stop)
}

// hear takes what the worker says, and tells whether it is more than it has said before.
func (w *standstill) hear(s *client.SolveStatus) (news bool) {
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
func (w *standstill) moved(s *client.VertexStatus) bool {
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
func (w *standstill) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t, at := range w.open {
		w.stop(&timeoutError{
			text: fmt.Sprintf("step %q: nothing moved for %s, the limit of --idle-timeout, while the worker fetched %s and had %d bytes of it", w.steps[t.step], w.limit, t.id, at),
			next: "see whether the worker reaches the registry", kind: registry.ErrUnavailable,
		})
		return
	}
}
