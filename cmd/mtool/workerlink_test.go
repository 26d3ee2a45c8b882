package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
)

// TestStalledWorker builds on a buildkitd whose connection stalls in the middle of the result. Without any flag, the
// build ends within half a minute, names the worker and leaves nothing in the store.
func TestStalledWorker(t *testing.T) {
	t.Parallel()
	if !faults.Full() {
		t.Skip("half a minute of waiting: make long; worker-nodes.txtar takes a link down in the middle of a step")
	}
	testparts.Need(t, testparts.Buildkit)
	addr := testparts.StartBuildkitd(t)
	home, context := t.TempDir(), t.TempDir()
	write := func(name string, body []byte) {
		if err := os.WriteFile(filepath.Join(context, name), body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	noise := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{1}).Read(noise) //nolint:errcheck // it never fails
	write("file", noise)
	write("Dockerfile", []byte("FROM scratch\nCOPY file /\n"))
	build := func(worker string) (string, error) {
		cmd := exec.CommandContext(t.Context(), faults.Program(t), "build", "--worker", worker, "--arch", "amd64", "-t",
			"cut:v1", context)
		cmd.Env = append(os.Environ(), "HOME="+home, "MTOOL_HOME="+home, "DOCKER_CONFIG="+home)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := build(narrow(t, addr, 4<<20))
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 6 ||
		!strings.Contains(out, "it stopped answering in the middle, and said nothing for 20s") {
		t.Errorf("got %v:\n%s", err, out)
	}
	if list, err := filepath.Glob(filepath.Join(home, "store", "blobs", "*", "*")); err != nil || len(list) > 0 {
		t.Errorf("the store has %q, %v", list, err)
	}
	if out, err := build(narrow(t, addr, 64<<20)); err != nil { // the twin: a limit that is never reached
		t.Errorf("%v:\n%s", err, out)
	}
}

// narrow returns the address of a proxy for a Unix socket. It stalls in both directions once it has received limit
// bytes from the socket.
func narrow(t *testing.T, addr string, limit int64) string {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		listener.Close()
	})
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(addr, "unix://"))
			if err != nil {
				near.Close()
				return
			}
			context.AfterFunc(ctx, func() { near.Close(); far.Close() })
			full, stop := context.WithCancel(ctx)
			go func() {
				_, _ = io.CopyN(near, far, limit)
				stop()
			}()
			go func() {
				for b := make([]byte, 1<<16); full.Err() == nil; {
					n, err := near.Read(b)
					if _, werr := far.Write(b[:n]); err != nil || werr != nil {
						far.Close()
						return
					}
				}
			}()
		}
	}()
	return "unix://" + listener.Addr().String()
}
