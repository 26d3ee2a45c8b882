package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mtool/cmd/internal/realparts"
	"mtool/registry/registrytest"
)

// TestSecretsStaySecret logs in, pushes, copies, and builds from a registry with a password, and looks for that password in
// everything that is printed, in the arguments of all processes of the machine meanwhile, and in all files below the home but
// the one that keeps it, which nobody else may read. Nor may anybody else read what else is kept.
func TestSecretsStaySecret(t *testing.T) {
	home := homeOfOwn(t)
	mtool := asMtool(t)
	secrets := [][]byte{[]byte(canary), []byte(base64.StdEncoding.EncodeToString([]byte("bob:" + canary)))}
	s := registrytest.New(t, registryOptions())
	s.Load("demo", "amd64", imageOf(t, "linux/amd64"))
	s.Load("demo", "arm64", imageOf(t, "linux/arm64"))
	stop := watchArguments(t, secrets[0])
	context := scratchContext(t)
	if err := os.WriteFile(filepath.Join(context, "Dockerfile.from"), []byte("FROM "+s.Host()+"/demo:amd64\nCOPY file /\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"login " + s.Host() + " -u bob --password-stdin",
		"create " + s.Host() + "/demo:v1 " + s.Host() + "/demo:amd64 " + s.Host() + "/demo:arm64 --push --confirm --metadata-file " + home + "/made.json",
		"create demo:v1 " + s.Host() + "/demo:amd64",
		"copy " + s.Host() + "/demo:v1 store:copied:v1",
		"inspect --deep -o json " + s.Host() + "/demo:v1",
		"inspect " + s.Host() + "/missing:v1",
		"auth check --push " + s.Host() + "/demo:v1",
	}
	if ok, err := realparts.Available(realparts.QEMU); err == nil && ok {
		lines = append(lines, "build --arch amd64 --progress plain -t built:v1 -f "+context+"/Dockerfile.from "+context)
	}
	for _, line := range lines {
		out := withStdin(t, mtool, canary, line)
		for _, secret := range secrets {
			if bytes.Contains(out, secret) || bytes.Contains(out, []byte("token-")) {
				t.Errorf("mtool %s prints a secret: %s", line, out)
			}
		}
	}
	stop()
	look := func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(body, secret) && path != filepath.Join(home, "docker", "config.json") {
				t.Errorf("%s has a secret", path)
			}
		}
		return err
	}
	if err := filepath.WalkDir(home, look); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"docker/config.json": 0o600, "mtool": 0o700, "mtool/store": 0o700, "mtool/drafts": 0o700} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func withStdin(t *testing.T, mtool, stdin, line string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), mtool, strings.Fields(line)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if (err != nil) != strings.Contains(line, "missing") {
		t.Errorf("mtool %s: %v: %s", line, err, out)
	}
	return out
}

// watchArguments looks at the arguments of all processes, again and again, until stop is called.
func watchArguments(t *testing.T, secret []byte) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var looks, seen atomic.Int64
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				if body, err := os.ReadFile(file); err == nil && bytes.Contains(body, secret) { // the process may be gone
					seen.Add(1)
				}
			}
			looks.Add(1)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() {
		// The watcher must see what is there to be seen.
		before := seen.Load()
		bait := exec.Command("sh", "-c", "sleep 20; true", string(secret))
		if err := bait.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(func() bool { return seen.Load() > before })
		_ = bait.Process.Kill()
		_ = bait.Wait()
		cancel()
		<-done
		if before > 0 {
			t.Errorf("a process had the secret among its arguments, in %d looks", looks.Load())
		}
		if seen.Load() == before {
			t.Error("the watcher did not see a process that has the secret among its arguments")
		}
	}
}
