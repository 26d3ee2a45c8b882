package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/pb"

	"mtool/inspect"
)

// The log keeps only the step's own output, up to a limit. The time limit starts with the step.
func TestRunLog(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	h := newRunLog("run x", false, 10*time.Millisecond, newStallTimeout(-1, stop))
	status := make(chan *client.SolveStatus)
	go h.follow(status)
	started := time.Now()
	ended := started.Add(time.Second)
	status <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "a", Name: "pull", Started: &started}}}
	time.Sleep(30 * time.Millisecond)
	if ctx.Err() != nil {
		t.Fatal("fetching the image counts as running the command")
	}
	status <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "b", Name: "run x", Started: &started}}}
	status <- &client.SolveStatus{Logs: []*client.VertexLog{
		{Vertex: "a", Stream: 1, Data: []byte("pulling")},
		{Vertex: "b", Stream: 1, Data: []byte("out")},
		{Vertex: "b", Stream: 2, Data: []byte("err")},
		{Vertex: "b", Stream: 1, Data: bytes.Repeat([]byte("x"), keptOutput)},
	}}
	<-ctx.Done()
	status <- &client.SolveStatus{
		Vertexes: []*client.Vertex{{Digest: "b", Name: "run x", Started: &started, Completed: &ended}},
	}
	close(status)
	<-h.done
	if len(h.stdout.kept) != keptOutput || !h.stdout.more || !bytes.HasPrefix(h.stdout.kept, []byte("outxxx")) ||
		string(h.stderr.kept) != "err" || h.stderr.more {
		t.Errorf("stdout %d bytes, more %v; stderr %q, more %v", len(h.stdout.kept), h.stdout.more, h.stderr.kept,
			h.stderr.more)
	}
	if !errors.Is(context.Cause(ctx), inspect.ErrMismatch) || h.took() != time.Second || !h.began() {
		t.Errorf("cause %v, took %v", context.Cause(ctx), h.took())
	}
}

// QEMU's message that a program crashed ends the command, even if it arrives in pieces, but only under emulation.
func TestRunLogOfCrash(t *testing.T) {
	t.Parallel()
	for _, emulated := range []bool{true, false} {
		ctx, stop := context.WithCancelCause(t.Context())
		h := newRunLog("run x", emulated, time.Minute, newStallTimeout(-1, stop))
		status := make(chan *client.SolveStatus)
		go h.follow(status)
		status <- &client.SolveStatus{Vertexes: []*client.Vertex{{Digest: "b", Name: "run x"}}}
		for _, part := range []string{"qemu: uncaught target sig", "nal 4 (Illegal instruc", "tion) - core dumped\n"} {
			status <- &client.SolveStatus{Logs: []*client.VertexLog{{Vertex: "b", Stream: 2, Data: []byte(part)}}}
		}
		close(status)
		<-h.done
		want := map[bool]string{true: "4 (Illegal instruction)"}[emulated]
		if h.signal() != want || (ctx.Err() != nil) != emulated {
			t.Errorf("emulated %v: signal %q, %v", emulated, h.signal(), ctx.Err())
		}
		stop(nil)
	}
}

// A command's exit code is distinguished from a failure to start it, by the error's type or by its text.
func TestExitCode(t *testing.T) {
	t.Parallel()
	unknown := uint32(gateway.UnknownExitStatus)
	for name, c := range map[string]struct {
		err   error
		want  int
		ended bool
	}{
		"by type": {fmt.Errorf("solving: %w", &gateway.ExitError{ExitCode: 7}), 7, true},
		"its own 255": {fmt.Errorf("process: %w",
			fmt.Errorf("did not complete: %w", &gateway.ExitError{ExitCode: unknown})), 255, true},
		"not started": {
			&gateway.ExitError{ExitCode: unknown, Err: errors.New("unable to start container process")}, 0,
			false,
		},
		"by text":        {errors.New("executor failed running [/app exit code: 3]: exit code: 9"), 9, true},
		"no code":        {errors.New("executor failed running [/app]: exit code: none"), 0, false},
		"something else": {errors.New("not found"), 0, false},
	} {
		if got, ended := exitCode(c.err); got != c.want || ended != c.ended {
			t.Errorf("%s: %d, %v, want %d, %v (%v)", name, got, ended, c.want, c.ended, c.err)
		}
	}
}
