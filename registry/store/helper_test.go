package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/store"
)

// helperEnv names a helper. Tests of several processes run this test binary again with it.
const helperEnv = "MTOOL_STORE_TEST_HELPER"

func TestMain(m *testing.M) {
	helpers := map[string]func(dir string) error{"tag": helpTag, "stall": helpStall, "full": helpFull}
	name, dir, ok := strings.Cut(os.Getenv(helperEnv), ":")
	if !ok {
		os.Exit(m.Run())
	}
	if err := helpers[name](dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func helper(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), helperEnv+"="+name+":"+dir)
	return c
}

// helpTag writes ten images and removes every other one.
func helpTag(dir string) error {
	s := store.Open(dir)
	for i := range 10 {
		ref, err := registry.ParseRef(fmt.Sprintf("store:p%d:v%d", os.Getpid(), i))
		if err != nil {
			return err
		}
		w := s.Writer(ref)
		b := registrytest.Image(registrytest.ImageSpec{Seed: ref.Tag, SharedLayer: "all"})
		if err := errors.Join(b.Push(context.Background(), w, ref.Tag), w.Close()); err != nil {
			return err
		}
		if i%2 == 1 {
			if err := s.Remove(context.Background(), ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// stallingSource is a source whose blobs stall after half of their bytes.
type stallingSource struct{ registry.Source }

func (s stallingSource) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	rc, err := s.Source.Blob(ctx, d)
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(rc, d.Size/2), stalledReader{}), rc}, err
}

type stalledReader struct{}

func (stalledReader) Read([]byte) (int, error) {
	time.Sleep(time.Hour)
	return 0, io.ErrNoProgress
}

func helpStall(dir string) error {
	ref, err := registry.ParseRef("store:stalled:v1")
	if err != nil {
		return err
	}
	b := registrytest.Image(registrytest.ImageSpec{Padding: 1 << 20})
	_, err = store.Open(dir).Writer(ref).PutBlob(context.Background(), b.Order[0], stallingSource{b.Source()})
	return err
}

// helpFull mounts a file system of one megabyte at dir, in its own namespaces, and fills it.
func helpFull(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return fmt.Errorf("mounting: %w", err)
	}
	ctx, s := context.Background(), store.Open(dir+"/store")
	put := func(name string, padding int) error {
		ref, err := registry.ParseRef("store:" + name)
		if err != nil {
			return err
		}
		w := s.Writer(ref)
		err = registrytest.Image(registrytest.ImageSpec{Padding: padding, Layers: 2, Seed: name}).Push(ctx, w, ref.Tag)
		if left, _ := filepath.Glob(s.Dir() + "/.mtool/blob-*"); len(left) > 0 {
			return fmt.Errorf("temporary files left: %v", left)
		}
		return errors.Join(err, w.Close())
	}
	if err := put("small:v1", 10_000); err != nil {
		return err
	}
	before := list(s.Dir())
	err := put("big:v1", 700_000)
	var hinted registry.Hinter
	switch {
	case !errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("want a full disk, got: %w", err)
	case !errors.As(err, &hinted) || !strings.Contains(err.Error(), s.Dir()) ||
		!strings.Contains(err.Error(), "bytes needed"):
		return fmt.Errorf("the error lacks a hint, the directory or the size: %w", err)
	case list(s.Dir()) != before:
		return fmt.Errorf("before:\n%s\nafter:\n%s", before, list(s.Dir()))
	}
	return put("small:v2", 10_000)
}

func list(dir string) string {
	out, err := exec.Command("find", dir, "-type", "f", "-size", "+0").Output()
	if err != nil {
		return err.Error()
	}
	return string(out)
}
