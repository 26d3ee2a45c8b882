package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mtool/cmd/internal/faults"
	"mtool/cmd/internal/testparts"
	"mtool/registry/registrytest"
)

// TestSecretsStaySecret logs in, pushes, copies and builds with a registry that has a password, with secrets for steps,
// and with passwords for a proxy and a context. No secret may be in the output, in the arguments of a process, or in a
// file below the home except the one with the login. Other users must not be able to read any of these files. After the
// logout no file has a secret.
func TestSecretsStaySecret(t *testing.T) {
	builds := secretBuilds(t) // it compiles, with the Go cache in the usual home
	home := faults.NewHome(t)
	if err := os.Mkdir(filepath.Join(home, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	usual := syscall.Umask(0) // so that only mtool restricts permissions
	defer syscall.Umask(usual)
	t.Setenv("TMPDIR", filepath.Join(home, "tmp"))
	t.Setenv("STEP_SECRET", faults.Canary+"-env")
	t.Setenv("HTTPS_PROXY", "http://bob:"+faults.Canary+"-proxy@127.0.0.1:1")
	mtool := faults.Program(t)
	s := registrytest.New(t, faults.RegistryOptions())
	s.Load("demo", "amd64", faults.Image(t, "linux/amd64"))
	s.Load("demo", "arm64", faults.Image(t, "linux/arm64"))
	stop := watchArguments(t, []byte(faults.Canary))
	for _, line := range append(secretLines(), builds...) {
		line = strings.NewReplacer("HOST", s.Host(), "HOME", home).Replace(line)
		if out := withStdin(t, mtool, faults.Canary, line); hasSecret(out) {
			t.Errorf("mtool %s prints a secret: %s", line, out)
		} else if strings.Contains(line, "--secret") && !bytes.Contains(out, []byte("secrets of 18 17 bytes")) {
			t.Errorf("the step did not get its secrets: %s", out)
		}
	}
	stop()
	login := filepath.Join(home, "docker", "config.json")
	if got := secretFiles(t, home); !slices.Equal(got, []string{login}) {
		t.Errorf("secrets are in %q", got)
	}
	modes := map[string]fs.FileMode{
		"docker": 0o700, "docker/config.json": 0o600, "mtool": 0o700, "mtool/store": 0o700,
		"mtool/drafts": 0o700, "mtool/facts": 0o700,
	}
	if len(builds) > 0 {
		modes["mtool/worker"] = 0o700
	}
	for name, want := range modes {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
	withStdin(t, mtool, "", "logout "+s.Host())
	var liar bytes.Buffer
	z := gzip.NewWriter(&liar)
	_, err := io.WriteString(z, base64.StdEncoding.EncodeToString([]byte("x"+faults.Canary)))
	if err = errors.Join(err, z.Close(), os.WriteFile(filepath.Join(home, "liar"), liar.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := secretFiles(t, home); !slices.Equal(got, []string{filepath.Join(home, "liar")}) {
		t.Errorf("after the logout secrets are in %q, want only the liar's", got)
	}
}

// secretLines returns command lines that need the login.
func secretLines() []string {
	return []string{
		"login HOST -u bob --password-stdin",
		"create HOST/demo:v1 HOST/demo:amd64 HOST/demo:arm64 --push --confirm --metadata-file HOME/made.json",
		"create demo:v1 HOST/demo:amd64",
		"push demo:v1 HOST/pushed:v1",
		"copy HOST/demo:v1 store:copied:v1",
		"copy HOST/demo:v1 HOST/other:v1",
		"save HOST/demo:v1 -o HOME/saved.tar",
		"inspect --deep -o json HOST/demo:v1",
		"inspect HOST/missing:v1",
		"auth check --push HOST/demo:v1",
		"copy -v HOST/demo:v1 HOST/verbose:v1",
		"copy -vv HOST/demo:v1 HOST/debug:v1 --trace HOME/requests.har",
		"copy -D --log-format json HOST/demo:v1 HOST/json:v1 --progress json",
		"inspect -vv HOST/missing:v1",
		// A password in an address that the user types is in the arguments, but nowhere else.
		"build --arch amd64 -t no:v1 http://bob:" + addressSecret + "@HOST/missing.tar",
		"build -vv --trace HOME/context.har --arch amd64 -t no:v1 http://bob:" + addressSecret + "@HOST/missing.tar?token=" +
			addressSecret,
		"build --arch amd64 -t no:v1 http://bob:" + addressSecret + "@HOST/missing.git",
		"inspect http://bob:" + addressSecret + "@HOST/missing:v1",
		"inspect --mirror docker.io=http://bob:" + addressSecret + "@HOST docker://missing:v1",
		"workers --worker tcp://bob:" + addressSecret + "@missing.example:1234",
	}
}

// secretBuilds returns builds whose base needs a password. Their step gets secrets and prints the lengths.
func secretBuilds(t *testing.T) []string {
	t.Helper()
	if ok, err := testparts.Available(testparts.QEMU); err != nil || !ok {
		return nil
	}
	context := t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile.missing": "FROM scratch\nADD http://bob:" + addressSecret + "@localhost:1/missing.tar /\n",
		"Dockerfile":         "ARG BASE\nFROM $BASE\nCOPY secrets /\nRUN --mount=type=secret,id=file --mount=type=secret,id=env [\"/secrets\"]\n",
		"main.go":            "package main\nimport (\"fmt\"; \"os\")\nfunc main() {\na, _ := os.ReadFile(\"/run/secrets/file\")\nb, _ := os.ReadFile(\"/run/secrets/env\")\nfmt.Println(\"secrets of\", len(a), len(b), \"bytes\")\n}\n",
		"secret":             faults.Canary + "-file",
	} {
		if err := os.WriteFile(filepath.Join(context, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := compile(t.Context(), context, "main.go", filepath.Join(context, "secrets"), "amd64"); err != nil {
		t.Fatal(err)
	}
	missing := "build --arch amd64 --progress plain -t no:v1 -f " + context + "/Dockerfile.missing " + context
	return []string{
		missing,
		"build --arch amd64 --progress plain -t HOST/built:v1 --push --provenance mode=max --cache-to type=registry,ref=HOST/cache:v1" +
			" --build-arg BASE=HOST/demo:amd64 --secret id=file,src=" + context +
			"/secret --secret id=env,env=STEP_SECRET " + context,
	}
}

// addressSecret may be in arguments.
const addressSecret = "address-5e4fd1"

// hasSecret also finds secrets in Base64, at any offset, and the tokens of the registry.
func hasSecret(body []byte) bool {
	for _, secret := range []string{faults.Canary, addressSecret} {
		if bytes.Contains(body, []byte(secret)) {
			return true
		}
		for before := range 3 {
			text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			if bytes.Contains(body, []byte(text[4:len(text)-2])) {
				return true
			}
		}
	}
	return regexp.MustCompile(`\btoken-\d+\b`).Match(body)
}

// secretFiles returns the files below dir that contain a secret. It decompresses them.
func secretFiles(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		if z, zerr := gzip.NewReader(bytes.NewReader(body)); zerr == nil {
			body, err = io.ReadAll(z)
		}
		if hasSecret(body) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
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

// watchArguments checks the arguments of all processes repeatedly until stop is called.
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
				if body, err := os.ReadFile(file); err == nil && bytes.Contains(body, secret) { // the process may have ended
					seen.Add(1)
				}
			}
			looks.Add(1)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() {
		// A process with the secret in its arguments, which the watcher must find.
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
			t.Errorf("a process had the secret in its arguments (%d checks)", looks.Load())
		}
		if seen.Load() == before {
			t.Error("the watcher did not find a process with the secret in its arguments")
		}
	}
}
