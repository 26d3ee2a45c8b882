package build_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/worker"
	"mtool/inspect/platform"
	"mtool/registry"
)

func TestMissingEmulator(t *testing.T) {
	needs(t, "buildkit")
	t.Setenv("PATH", "")
	h := newHome(t)
	dir := t.TempDir()
	run := func(text string, platforms ...v1.Platform) error {
		write(t, filepath.Join(dir, "Dockerfile"), text)
		_, err := build.Run(t.Context(), build.Spec{Context: dir, Platforms: platforms, Name: named(t)}, h.o)
		return err
	}
	err := run("FROM scratch\nRUN [\"/app\"]\n", native(), foreign())
	var w *build.WorkerError
	if !errors.Is(err, build.ErrNoWorker) || !errors.As(err, &w) || !strings.Contains(w.Hint(), "qemu-user-static") ||
		!strings.Contains(w.Hint(), h.o.EmulatorsDir) {
		t.Errorf("got %v, want ErrNoWorker with a hint to the package", err)
	}
	if _, err := os.Stat(h.o.StateDir); err == nil {
		t.Error("a worker was started for a platform that can't be built")
	}
	if err := run("FROM scratch\nCOPY Dockerfile /\n", foreign()); err != nil {
		t.Errorf("a build that runs nothing: %v", err)
	}
	if err := run("FROM scratch\nRUN [\"/app\"]\n", v1.Platform{OS: "linux", Architecture: "wasm"}); !errors.Is(err,
		build.ErrNoWorker) {
		t.Errorf("an architecture without a QEMU: %v", err)
	}
}

// TestExternalWorker builds on a worker given by its address: one of ours behind a Unix socket.
func TestExternalWorker(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	addr := "unix://" + serve(t)
	h := newHome(t)
	spec := build.Spec{
		Context: contextDir(t, runApp, native(), foreign()), Platforms: []v1.Platform{foreign()},
		Name: named(t), Execution: at(addr),
	}
	_, err := build.Run(t.Context(), spec, h.o)
	if !errors.Is(err, build.ErrNoWorker) || !strings.Contains(err.Error(), addr) ||
		!strings.Contains(err.Error(), platform.Format(native())) {
		t.Errorf("a platform that the worker does not run: %v", err)
	}
	spec.Execution = at("unix://" + serve(t)) // serve accepts one connection
	spec.Platforms = []v1.Platform{native()}
	if _, err := build.Run(t.Context(), spec, h.o); err != nil {
		t.Error(err)
	}
}

func TestUnreachableWorker(t *testing.T) {
	t.Parallel()
	for addr, kind := range map[string]error{
		"unix://" + filepath.Join(t.TempDir(), "socket"): registry.ErrUnavailable,
		"tcp://127.0.0.1:1": registry.ErrUnavailable,
		"127.0.0.1:1":       registry.ErrUsage,
		"http://host":       registry.ErrUsage,
	} {
		_, err := build.Run(t.Context(), build.Spec{
			Context: contextDir(t, "FROM scratch\nLABEL a=b\n"), Platforms: []v1.Platform{native()}, Name: named(t),
			Execution: at(addr),
		}, newHome(t).o)
		if !errors.Is(err, kind) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: got %v, want %v", addr, err, kind)
		}
	}
}

func at(addr string) build.Execution {
	return build.Execution{Workers: []build.WorkerAddr{{Addr: addr}}}
}

// serve puts a worker behind a socket for one connection and returns the socket's path.
func serve(t *testing.T) string {
	t.Helper()
	w, err := worker.Start(t.Context(), worker.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		w.Close()
	})
	go func() {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := w.Dial(t.Context())
		if err != nil {
			client.Close()
			return
		}
		go func() { _, _ = io.Copy(server, client) }()
		_, _ = io.Copy(client, server)
	}()
	return path
}
