package build_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/registry"
	"mtool/registry/registrytest"
)

// A registry or token server stalls on a request of the worker. The worker retries; if that does not help, the build
// ends and the error names the server.
func TestStalledBase(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	stall := &registrytest.Response{Stall: true}
	for name, f := range map[string]registrytest.Fault{
		"for a lookup":   {Method: "HEAD", Path: "/manifests/", Hang: true},
		"for a token":    {Path: "/token", Hang: true},
		"for a manifest": {Method: "GET", Path: "/manifests/", Hang: true},
		"in a manifest":  {Method: "GET", Path: "/manifests/", Response: stall},
		"for a blob":     {Method: "GET", Path: "/blobs/", Hang: true},
		"in a blob":      {Method: "GET", Path: "/blobs/", Response: stall},
	} {
		t.Run(name+", once", func(t *testing.T) {
			t.Parallel()
			f.Times = 1
			const idle = 3 * time.Second // answers may be late on a busy machine
			if s, out, err := buildOnStalled(t, f, idle, time.Hour); err != nil || s.FaultCount() != 1 {
				t.Errorf("got error %v after %d faults of 1:\n%s", err, s.FaultCount(), out)
			}
		})
		t.Run(name+", for good", func(t *testing.T) {
			t.Parallel()
			f.Times = -1
			s, out, err := buildOnStalled(t, f, shortIdle, 4*time.Second)
			if !errors.Is(err, registry.ErrUnavailable) {
				t.Fatalf("got error %v, want one that wraps ErrUnavailable:\n%s", err, out)
			}
			for _, want := range []string{s.Host() + "/base", "nothing moved for 400ms"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

const shortIdle = 400 * time.Millisecond

// buildOnStalled builds on a base image that the worker fetches itself. If the fault stays, all attempts together must
// take longer than silent.
func buildOnStalled(
	t *testing.T, f registrytest.Fault, idle, silent time.Duration,
) (*registrytest.Server, string, error) {
	t.Helper()
	s := registrytest.New(t, registrytest.Options{Token: true})
	s.Load("base", "v1", registrytest.Image(registrytest.ImageSpec{Platform: native(), Layers: 2}))
	s.Fault(f)
	h, out := newHome(t), &bytes.Buffer{}
	h.o.Client, h.o.Registries.Idle = nil, idle
	spec := build.Spec{
		Context:   contextDir(t, "FROM "+s.Host()+"/base:v1\nLABEL a=b\n"),
		Platforms: []v1.Platform{native()}, Name: named(t), Progress: "plain", Out: out,
	}
	spec.IdleTimeout = silent
	_, err := build.Run(t.Context(), spec, h.o)
	return s, out.String(), err
}

// A stalled server of an ADD ends the build; a slow one does not.
func TestStalledAdd(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	for name, c := range map[string]struct {
		begin bool // the answer begins
		moves int  // pieces that are sent before the stall
	}{
		"before the answer": {}, "in the answer": {begin: true, moves: 2}, "slow": {begin: true, moves: slowPieces},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				crawl(w, r, c.begin, c.moves)
			}))
			t.Cleanup(s.Close)
			h := newHome(t)
			if h.o.Registries.Idle = shortIdle; c.moves == slowPieces {
				h.o.Registries.Idle = slowPieces * pause * 4 / 5
			}
			spec := build.Spec{
				Context:   contextDir(t, "FROM scratch\nADD "+s.URL+"/some/file /\n"),
				Platforms: []v1.Platform{native()}, Name: named(t),
			}
			_, err := build.Run(t.Context(), spec, h.o)
			if c.moves == slowPieces {
				if err != nil {
					t.Errorf("a slow server: %v", err)
				}
				return
			}
			if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), s.URL+"/some/file") ||
				!strings.Contains(err.Error(), "nothing moved for 400ms") {
				t.Errorf("got error %v, want one that wraps ErrUnavailable and names the address and the limit", err)
			}
		})
	}
}

const (
	slowPieces = 10
	piece      = 2000 // bytes: four times as fast as what counts as too slow
	pause      = 500 * time.Millisecond
)

// crawl sends moves pieces, slowly, and then stalls unless that was the whole body.
func crawl(w http.ResponseWriter, r *http.Request, begin bool, moves int) {
	if begin {
		w.Header().Set("Content-Length", strconv.Itoa(slowPieces*piece))
		for range moves {
			_, _ = w.Write(make([]byte, piece))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(pause)
		}
	}
	if moves < slowPieces {
		<-r.Context().Done()
	}
}

// Errors of an ADD have the same kinds as those of a base image.
func TestMissingAdd(t *testing.T) {
	t.Parallel()
	needs(t, "buildkit")
	for code, kind := range map[int]error{
		404: registry.ErrNotFound, 403: registry.ErrDenied, 503: registry.ErrUnavailable,
		0: registry.ErrUnavailable,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		t.Cleanup(s.Close)
		if code == 0 {
			s.Close()
		}
		spec := build.Spec{
			Context: contextDir(t, "FROM scratch\nADD "+s.URL+"/file /\n"), Platforms: []v1.Platform{native()},
			Name: named(t),
		}
		if _, err := build.Run(t.Context(), spec, newHome(t).o); !errors.Is(err, kind) ||
			!strings.Contains(err.Error(), s.URL+"/file") {
			t.Errorf("status %d: got %v, want %v naming the address", code, err, kind)
		}
	}
}
