package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

func TestConcurrentProcesses(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	var wg sync.WaitGroup
	const processes = 3
	for range processes {
		wg.Go(func() {
			if out, err := helper(t, "tag", s.Dir()).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	images, err := s.List(t.Context())
	if err != nil || len(images) != processes*5 {
		t.Errorf("%d images, %v; want %d", len(images), err, processes*5)
	}
	for _, i := range images {
		readAll(t, s, i.Ref.String())
	}
	if freed, err := s.Collect(t.Context()); err != nil || len(blobs(t, s)) != 5*2+1 {
		t.Errorf("%d blobs are left after %d bytes were collected, %v; want 11", len(blobs(t, s)), freed, err)
	}
}

// readAll reads the manifest and the blobs of a name.
func readAll(t *testing.T, s *store.Store, name string) {
	t.Helper()
	o, err := s.Get(t.Context(), parse(t, name))
	if err != nil {
		t.Errorf("getting %q: %v", name, err)
		return
	}
	w := store.OpenLayout(t.TempDir()).Writer()
	b := registrytest.Built{Manifest: o.Root, Manifests: []registry.Manifest{o.Root}}
	addContent(t, o, &b)
	if err := pushFrom(t, o.Source, b, w); err != nil {
		t.Errorf("copying %q: %v", name, err)
	}
}

func TestConcurrentStores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := image(amd64, "1")
	put(t, store.Open(dir), "store:demo:v0", b)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				ref := parse(t, fmt.Sprintf("store:demo-%d:v%d", i, j))
				if err := store.Open(dir).Tag(t.Context(), ref, b.Manifest); err != nil {
					t.Errorf("tagging: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if images, err := store.Open(dir).List(t.Context()); err != nil || len(images) != 41 {
		t.Errorf("%d names, %v; want 41", len(images), err)
	}
}

func TestCollectKeepsOpenWriters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other := image(arm64, "old")
	put(t, store.Open(dir), "store:old:v1", other)

	b := image(amd64, "new")
	mine := store.Open(dir)
	w := mine.Writer(parse(t, "store:demo:v1"))
	for _, d := range b.Order {
		if _, err := w.PutBlob(t.Context(), d, b.Source()); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Open(dir).Remove(t.Context(), parse(t, "old:v1")); err != nil {
		t.Errorf("removing while another writes: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := store.Open(dir).Collect(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("collecting while another writes: %v, want the context's error", err)
	}
	if err := w.PutTag(t.Context(), "v1", b.Manifest); err != nil {
		t.Fatal(err)
	}
	// Everything has a name now, so the open writer does not block a collection.
	if freed, err := store.Open(dir).Collect(t.Context()); err != nil || freed == 0 {
		t.Errorf("collecting the removed image: %d bytes, %v", freed, err)
	}
	readAll(t, mine, "store:demo:v1")
	if got, want := len(blobs(t, mine)), len(b.Order)+1; got != want {
		t.Errorf("%d blobs are left, want %d", got, want)
	}
}

func TestCloseRemovesUnnamed(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	kept, unnamed := image(amd64, "kept"), image(amd64, "unnamed")
	put(t, s, "store:kept:v1", kept)
	w := s.Writer(parse(t, "store:demo:v1"))
	for _, b := range []registrytest.Built{kept, unnamed} {
		if err := b.Push(t.Context(), w, ""); err != nil {
			t.Fatal(err)
		}
	}
	closeWriter(t, w)
	readAll(t, s, "store:kept:v1")
	if got, want := len(blobs(t, s)), len(kept.Order)+1; got != want {
		t.Errorf("%d blobs are left, want %d", got, want)
	}
}

func TestKilledWriter(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	put(t, s, "store:demo:v1", image(amd64, "1"))
	before := blobs(t, s)
	c := helper(t, "stall", s.Dir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Minute); len(temps(t, s)) == 0 && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	put(t, s, "store:demo:v2", image(amd64, "1"))
	if got := temps(t, s); len(got) != 1 {
		t.Fatalf("temporary files of a running writer: %v, want one", got)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if got := temps(t, s); len(got) != 1 || len(blobs(t, s)) != len(before) {
		t.Errorf("after killing the writer: temporary files %v, %d blobs; want one file and %d blobs", got, len(blobs(t, s)), len(before))
	}
	put(t, s, "store:demo:v3", image(amd64, "1"))
	if got := temps(t, s); len(got) != 0 {
		t.Errorf("temporary files after the next writer: %v", got)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	c := helper(t, "full", t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skipf("no user namespaces: %v", err)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestLockRespectsContext(t *testing.T) {
	t.Parallel()
	s := store.Open(t.TempDir())
	b := image(amd64, "1")
	put(t, s, "store:demo:v1", b)
	lockFile(t, s, "index.lock")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Tag(ctx, parse(t, "store:demo:v2"), b.Manifest); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("tagging while the index is locked: %v", err)
	}
}
