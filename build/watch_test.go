package build

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/buildkit/client"

	"mtool/registry"
)

const (
	aLookup = "[internal] load metadata for registry.example/base:v1"
	aFetch  = "[build 1/3] FROM registry.example/base:v1@sha256:00"
	aRun    = "[build 2/3] RUN make # FROM "
)

// A silent RUN step ends a build after the limit. Requests of our own worker have a limit of their own, so their
// silence does not. A remote worker's lookup of a base image always has a limit.
func TestIdleByStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step        string
		own         bool
		limit, want time.Duration
	}{
		{aRun, true, time.Second, time.Second},
		{aRun, false, time.Second, time.Second},
		{aRun, false, 0, 0},
		{aLookup, true, time.Second, 0},
		{aFetch, true, time.Second, 0},
		{aLookup, false, time.Second, time.Second},
		{aLookup, false, 0, lookupLimit},
		{aLookup, false, time.Hour, lookupLimit},
		{aFetch, false, 0, 0},
		{aFetch, false, time.Hour, time.Hour},
	} {
		_, w := newIdleTimeout(t.Context(), c.limit)
		w.update(client.Vertex{Name: c.step}, c.own)
		if w.now != c.want {
			t.Errorf("%q, our own worker %v, a limit of %v: got a limit of %v, want %v", c.step, c.own, c.limit, w.now, c.want)
		}
		w.stop()
	}
}

// Silence while a base image is looked up or fetched is ErrUnavailable, and the error names the step.
func TestSilence(t *testing.T) {
	t.Parallel()
	for step, unavailable := range map[string]bool{aRun: false, aLookup: true, aFetch: true, "": false} {
		ctx, w := newIdleTimeout(t.Context(), 20*time.Millisecond)
		w.update(client.Vertex{Name: step}, false)
		<-ctx.Done()
		err := context.Cause(ctx)
		if errors.Is(err, registry.ErrUnavailable) != unavailable || !strings.Contains(err.Error(), step) ||
			!strings.Contains(err.Error(), "20ms") {
			t.Errorf("step %q: got %v", step, err)
		}
		w.stop()
	}
}

// A stalled transfer ends a solve, even if other steps print. A transfer that moves does not, nor does waiting for a
// disk.
func TestStallTimeout(t *testing.T) {
	t.Parallel()
	const limit, updates = 200 * time.Millisecond, 12
	at := func(current int64) *client.VertexStatus {
		return &client.VertexStatus{ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: current}
	}
	now := time.Now()
	whole, unpacking := &client.VertexStatus{
		ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: 100,
		Completed: &now,
	}, &client.VertexStatus{ID: "extracting sha256:b", Vertex: "sha256:1"}
	for name, c := range map[string]struct {
		say   func(n int64) []*client.VertexStatus
		limit time.Duration
		ends  bool
	}{
		"stalls": {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7)} }, limit, true},
		"moves":  {func(n int64) []*client.VertexStatus { return []*client.VertexStatus{at(n)} }, limit, false},
		"is whole": {
			func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7), whole} },
			limit, false,
		},
		"waits for a disk": {
			func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7), unpacking} },
			limit, false,
		},
		"our own worker": {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7)} }, -1, false},
		"a step without a size": {func(int64) []*client.VertexStatus {
			return []*client.VertexStatus{{ID: "transferring", Vertex: "sha256:1", Current: 5}}
		}, limit, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // a fake clock, which stands still while this test works
				ctx, stop := context.WithCancelCause(t.Context())
				w := newStallTimeout(c.limit, stop)
				w.update(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:1", Name: "[1/2] FROM base"}}})
				for n := range int64(updates) {
					w.update(&client.SolveStatus{Statuses: c.say(n), Logs: []*client.VertexLog{{Data: []byte("a RUN in parallel")}}})
					time.Sleep(limit / 4)
				}
				err := context.Cause(ctx)
				if (err != nil) != c.ends {
					t.Fatalf("got %v, want an error: %v", err, c.ends)
				}
				if c.ends &&
					(!errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), `"[1/2] FROM base"`) ||
						!strings.Contains(err.Error(), "7 bytes")) {
					t.Errorf("got %v", err)
				}
				w.update(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:1", Completed: &now}}})
				if w.timer != nil {
					t.Error("the timer runs on after the step has ended")
				}
			})
		})
	}
}

// A repeated status is no progress: it does not keep a silent build alive.
func TestRepeatedStatus(t *testing.T) {
	t.Parallel()
	updates := 0
	r := newRecord(newStallTimeout(-1, nil))
	r.onUpdate = func(client.Vertex) { updates++ }
	for _, current := range []int64{5, 5, 5, 6, 6} {
		r.add(&client.SolveStatus{
			Statuses: []*client.VertexStatus{{ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: current}},
		})
	}
	if updates != 2 {
		t.Errorf("got %d updates, want 2", updates)
	}
}
