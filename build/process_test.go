package build_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/build/advice"
	"mtool/registry"
	"mtool/registry/store"
)

// orderEnv makes this test binary run one build, for tests that kill it or run it as another user.
const orderEnv = "MTOOL_TEST_BUILD"

type order struct {
	Context, Home string
	Platform      v1.Platform
}

func runOrder(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	name, err := registry.ParseRef("demo:v1")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r, err := build.Run(ctx, build.Spec{
		Context: o.Context, Platforms: []v1.Platform{o.Platform}, Progress: "plain", Out: os.Stderr,
		Name: func(v1.Platform) registry.Ref { return name },
	}, build.Options{
		StateDir: filepath.Join(o.Home, "worker"), EmulatorsDir: filepath.Join(o.Home, "emulators"),
		Store: store.Open(filepath.Join(o.Home, "store")),
		Note:  func(n advice.Note) { fmt.Fprintln(os.Stderr, "note:", n.Text) },
	})
	switch {
	case errors.Is(err, context.Canceled):
		return 130
	case err != nil:
		fmt.Fprintln(os.Stderr, "mtool:", err)
		if h := (interface{ Hint() string })(nil); errors.As(err, &h) {
			fmt.Fprintln(os.Stderr, "hint:", h.Hint())
		}
		return 1
	}
	fmt.Println(r.Images[0].Manifest.Digest)
	return 0
}

// builder returns a command that runs the order in another process, as the user uid if that is not 0.
func builder(t *testing.T, o order, uid int) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	self := executable(t)
	c, out := exec.Command(self), &bytes.Buffer{}
	c.Env = append(os.Environ(), orderEnv+"="+string(text), "HOME="+o.Home)
	c.Stdout, c.Stderr = out, out
	if uid != 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	return c, out
}

// executable copies this binary to where every user may run it.
func executable(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to := filepath.Join(publicDir(t), "builder")
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}

// publicDir makes a temporary directory that every user may enter; the parent of t.TempDir() is closed to others.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mtool-test-") //nolint:usetesting // other users must get into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
