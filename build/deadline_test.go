package build

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/moby/buildkit/client"

	"mtool/registry"
)

const (
	aLookup = "[internal] load metadata for registry.example/base:v1"
	aFetch  = "[build 1/3] FROM registry.example/base:v1@sha256:00"
	aRun    = "[build 2/3] RUN make # FROM "
)

// The silence of a step that runs a program ends a build; that of our own worker's requests does not, which have a limit of
// their own; and a worker elsewhere that looks for a base is not waited for without end.
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
		_, w := watchIdle(t.Context(), c.limit)
		w.heard(client.Vertex{Name: c.step}, c.own)
		if w.now != c.want {
			t.Errorf("%q, our own worker %v, --idle-timeout %v: got a limit of %v, want %v", c.step, c.own, c.limit, w.now, c.want)
		}
		w.stop()
	}
}

// What a registry is to blame for is said to be one, with the step that names it.
func TestSilence(t *testing.T) {
	t.Parallel()
	for step, unavailable := range map[string]bool{aRun: false, aLookup: true, aFetch: true, "": false} {
		ctx, w := watchIdle(t.Context(), 20*time.Millisecond)
		w.heard(client.Vertex{Name: step}, false)
		<-ctx.Done()
		err := context.Cause(ctx)
		if errors.Is(err, registry.ErrUnavailable) != unavailable || !strings.Contains(err.Error(), step) || !strings.Contains(err.Error(), "--idle-timeout 20ms") {
			t.Errorf("step %q: got %v", step, err)
		}
		w.stop()
	}
}
