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

// A transfer that stands still ends a solve, whatever is said beside it; one that moves does not, nor what waits for a disk.
func TestStandstill(t *testing.T) {
	t.Parallel()
	const limit, words = 200 * time.Millisecond, 12
	at := func(current int64) *client.VertexStatus {
		return &client.VertexStatus{ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: current}
	}
	now := time.Now()
	whole, unpacking := &client.VertexStatus{ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: 100, Completed: &now}, &client.VertexStatus{ID: "extracting sha256:b", Vertex: "sha256:1"}
	for name, c := range map[string]struct {
		say   func(n int64) []*client.VertexStatus
		limit time.Duration
		ends  bool
	}{
		"stands still":     {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7)} }, limit, true},
		"moves":            {func(n int64) []*client.VertexStatus { return []*client.VertexStatus{at(n)} }, limit, false},
		"is whole":         {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7), whole} }, limit, false},
		"waits for a disk": {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7), unpacking} }, limit, false},
		"our own worker":   {func(int64) []*client.VertexStatus { return []*client.VertexStatus{at(7)} }, -1, false},
		"a step without a size": {func(int64) []*client.VertexStatus {
			return []*client.VertexStatus{{ID: "transferring", Vertex: "sha256:1", Current: 5}}
		}, limit, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // time stands still while this test works
				ctx, stop := context.WithCancelCause(t.Context())
				w := newStandstill(c.limit, stop)
				w.hear(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:1", Name: "[1/2] FROM base"}}})
				for n := range int64(words) {
					w.hear(&client.SolveStatus{Statuses: c.say(n), Logs: []*client.VertexLog{{Data: []byte("a RUN beside it")}}})
					time.Sleep(limit / 4)
				}
				err := context.Cause(ctx)
				if (err != nil) != c.ends {
					t.Fatalf("got %v, want an error: %v", err, c.ends)
				}
				if c.ends && (!errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), `"[1/2] FROM base"`) || !strings.Contains(err.Error(), "7 bytes")) {
					t.Errorf("got %v", err)
				}
				w.hear(&client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "sha256:1", Completed: &now}}})
				if w.timer != nil {
					t.Error("it waits on after the step has ended")
				}
			})
		})
	}
}

// What is repeated is no news: it does not keep a build alive that says nothing else.
func TestRepeatedWords(t *testing.T) {
	t.Parallel()
	heard := 0
	r := newRecord(newStandstill(-1, nil))
	r.heard = func(client.Vertex) { heard++ }
	for _, current := range []int64{5, 5, 5, 6, 6} {
		r.add(&client.SolveStatus{Statuses: []*client.VertexStatus{{ID: "sha256:a", Vertex: "sha256:1", Total: 100, Current: current}}})
	}
	if heard != 2 {
		t.Errorf("%d of 2 news in 5 words", heard)
	}
}
