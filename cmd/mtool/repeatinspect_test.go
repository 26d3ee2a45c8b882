package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mtool/inspect/platform"
	"mtool/registry/registrytest"
)

// rounds is a registry that counts rounds. It answers only after a second without a new request: the requests until
// then do not depend on each other's answers, so they are one round.
type rounds struct {
	registry *registrytest.Server

	mu       sync.Mutex
	round    chan struct{} // closed when the round is answered; nil between rounds
	timer    *time.Timer
	requests [][]string
}

// quiet ends a round: no program waits that long between requests of one round.
const quiet = time.Second

func (r *rounds) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	<-r.join(req.Method + " " + req.URL.Path)
	r.registry.ServeHTTP(w, req)
}

func (r *rounds) join(line string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.round == nil {
		round := make(chan struct{})
		r.round, r.requests = round, append(r.requests, nil)
		r.timer = time.AfterFunc(quiet, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.round = nil
			close(round)
		})
	}
	r.timer.Reset(quiet)
	last := len(r.requests) - 1
	r.requests[last] = append(r.requests[last], line)
	return r.round
}

// take returns the requests since the last call by round, sorted in each.
func (r *rounds) take() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests
	for _, round := range requests {
		slices.Sort(round)
	}
	r.requests = nil
	return requests
}

// twice is a list of three images in a registry that counts rounds, with a home for facts.
type twice struct {
	rounds *rounds
	ref    string
	home   string
}

func newTwice(t *testing.T, liar bool) *twice {
	t.Helper()
	var images []registrytest.Built
	for _, name := range []string{"linux/amd64", "linux/arm64", "linux/s390x"} {
		p, err := platform.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		arch := p.Architecture
		if liar && arch == "arm64" {
			arch = "riscv64"
		}
		images = append(images, registrytest.Image(registrytest.ImageSpec{
			Platform: p, Entrypoint: []string{"/app"},
			Files: [][]string{{"plain etc/shared"}, {"elf bin/sh " + p.Architecture}, {"elf app " + arch}},
		}))
	}
	r := &rounds{registry: registrytest.New(t, registrytest.Options{})}
	r.registry.Load("demo", "v1", registrytest.ListOf(images...))
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return &twice{rounds: r, ref: server.Listener.Addr().String() + "/demo:v1", home: t.TempDir()}
}

// inspect runs mtool inspect. It returns the output with the exit status, without the line about costs, and the
// requests.
func (w *twice) inspect(t *testing.T, flags ...string) (printed string, requests [][]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "mtool", append([]string{"inspect", w.ref}, flags...)...)
	cmd.Env = append(os.Environ(), "MTOOL_HOME="+w.home, "HOME="+w.home, "DOCKER_CONFIG="+w.home)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "claims checked") {
			printed += line
		}
	}
	return printed + cmd.ProcessState.String(), w.rounds.take()
}

func (w *twice) facts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.home, "facts", "*", "sha256", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func blobsOf(requests [][]string) (n int) {
	for _, round := range requests {
		for _, line := range round {
			if strings.Contains(line, "/blobs/") {
				n++
			}
		}
	}
	return n
}

// TestSecondRun checks that a second deep inspection makes the requests of a plain one, in as many rounds, and prints
// what the first one printed. If facts are lost, damaged or of another version, only the layers are read again.
func TestSecondRun(t *testing.T) {
	t.Parallel()
	const images, layers = 3, 7 // one layer is shared by all
	for name, liar := range map[string]bool{"twin": false, "liar": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTwice(t, liar)
			_, plain := w.inspect(t)
			if len(plain) != 3 || len(slices.Concat(plain...)) != 2*images+1 {
				t.Fatalf("a plain inspection requests %q", plain)
			}
			first, requests := w.inspect(t, "--deep")
			if n := blobsOf(requests); n != images+layers || len(w.facts(t)) != layers {
				t.Errorf("the first run reads %d blobs and keeps %d facts, want %d and %d: %q", n, len(w.facts(t)), images+layers,
					layers, requests)
			}
			if ended := strings.HasSuffix(first, "exit status 3"); ended != liar {
				t.Errorf("the verdict is wrong:\n%s", first)
			}
			for lost, lose := range losses() {
				for _, file := range w.facts(t) {
					lose(t, file)
				}
				printed, requests := w.inspect(t, "--deep")
				again := images + layers
				if lost == "nothing" {
					again = images
					if !slices.EqualFunc(requests, plain, slices.Equal) {
						t.Errorf("the second run requests %q, a plain inspection %q", requests, plain)
					}
				}
				if n := blobsOf(requests); n != again {
					t.Errorf("%s lost: %d blobs are read, want %d", lost, n, again)
				}
				if printed != first {
					t.Errorf("%s lost: got\n%s\nthe first run printed\n%s", lost, printed, first)
				}
			}
		})
	}
}

// losses returns ways in which a file of facts can be lost or damaged.
func losses() map[string]func(t *testing.T, file string) {
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func(t *testing.T, file string){
		"nothing":  func(*testing.T, string) {},
		"the file": func(t *testing.T, file string) { check(t, os.Remove(file)) },
		"the truth": func(t *testing.T, file string) { // every program becomes one for the other machine
			body, err := os.ReadFile(file)
			check(t, err)
			swapped := strings.NewReplacer("amd64", "arm64", "arm64", "amd64", "s390x", "amd64", "riscv64", "arm64", "shared",
				"hidden").Replace(string(body))
			if swapped == string(body) {
				t.Errorf("no program in %s", body)
			}
			check(t, os.WriteFile(file, []byte(swapped), 0o600))
		},
		"the end": func(t *testing.T, file string) { check(t, os.Truncate(file, 100)) },
		"the version": func(t *testing.T, file string) {
			folder := filepath.Dir(filepath.Dir(file))
			other := filepath.Join(filepath.Dir(folder), "v0", "sha256")
			check(t, os.MkdirAll(other, 0o700))
			check(t, os.Rename(file, filepath.Join(other, filepath.Base(file))))
		},
	}
}
