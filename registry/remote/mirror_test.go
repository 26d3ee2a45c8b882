package remote

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func TestMirrors(t *testing.T) {
	t.Parallel()
	layer := []byte("layer")
	d := v1.Descriptor{Digest: digest(layer), Size: int64(len(layer))}
	fill := func(f *fake, prefix string) {
		f.manifests[prefix+"demo:v1"] = []byte(imageJSON)
		f.manifests[prefix+"demo:"+digest([]byte(imageJSON)).String()] = []byte(imageJSON)
		f.blobs[prefix+"demo@"+d.Digest.String()] = layer
	}
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(code); return true }
	}
	blobs := func(respond func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			isBlob := strings.Contains(r.URL.Path, "/blobs/")
			if isBlob {
				respond(w)
			}
			return isBlob
		}
	}
	for name, tt := range map[string]struct {
		prefix string
		before func(http.ResponseWriter, *http.Request) bool
		empty  bool
		access Access
		origin bool // the registry itself gets requests
		note   string
	}{
		"mirror has it":      {note: "via mirror"},
		"mirror with a path": {prefix: "hub/", note: "via mirror"},
		"empty mirror":       {empty: true, origin: true},
		"broken mirror":      {before: status(503), origin: true, note: "passing over a mirror"},
		"mirror with login":  {before: status(401), origin: true, note: "passing over a mirror"},
		"another manifest": {before: func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
			return true
		}, origin: true, note: "passing over a mirror"},
		"another blob": {
			before: blobs(func(w http.ResponseWriter) { _, _ = io.WriteString(w, "other") }),
			origin: true, note: "via mirror",
		},
		"truncated blob": {before: blobs(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "la")
			panic(http.ErrAbortHandler)
		}), origin: true, note: "via mirror"},
		"access for writing": {access: PullPush, origin: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, mirror := newFake(t), newFake(t)
			fill(origin, "")
			if !tt.empty {
				fill(mirror, tt.prefix)
			}
			mirror.before = tt.before
			var notes strings.Builder
			address := strings.TrimSuffix(mirror.host()+"/"+tt.prefix, "/")
			c := newTestClient(Options{
				Settings: Settings{Hosts: map[string]HostSettings{origin.host(): {Mirrors: []string{address}}}},
				Note:     func(s string) { notes.WriteString(s + "\n") },
			})
			ref, err := registry.ParseRef(origin.host() + "/demo@" + digest([]byte(imageJSON)).String())
			if err != nil {
				t.Fatal(err)
			}
			r := c.Repository(ref, tt.access)
			if m, err := r.Resolve(t.Context(), ref); err != nil || string(m.Body) != imageJSON {
				t.Fatalf("resolving: %s, %v", m.Body, err)
			}
			rc, err := r.Blob(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if data, err := io.ReadAll(rc); err != nil || string(data) != "layer" {
				t.Errorf("reading a blob: %q, %v", data, err)
			}
			if used := len(origin.requests()) > 0; used != tt.origin {
				t.Errorf("got requests %q to the registry itself, want some: %t", origin.requests(), tt.origin)
			}
			if !strings.Contains(notes.String(), tt.note) || strings.Count(notes.String(), "\n") > 1 &&
				!strings.Contains(notes.String(), "passing over") {
				t.Errorf("notes %q, want one with %q", notes.String(), tt.note)
			}
		})
	}
}

func TestHostConcurrency(t *testing.T) {
	t.Parallel()
	var current, highest, wanted atomic.Int32
	f := newFake(t)
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		highest.Store(max(highest.Load(), current.Add(1)))
		for time.Sleep(5 * time.Millisecond); highest.Load() < wanted.Load() &&
			r.Context().Err() == nil; time.Sleep(time.Millisecond) {
		}
		current.Add(-1)
		return false
	}
	f.manifests["demo:v1"] = []byte(imageJSON)
	for limit, want := range map[int]func(int32) bool{
		2: func(n int32) bool { return n <= 2 }, 0: func(n int32) bool { return n > 2 },
	} {
		highest.Store(0)
		if wanted.Store(0); limit == 0 {
			wanted.Store(3) // the first requests wait for the third
		}
		c := newTestClient(Options{Settings: Settings{Hosts: map[string]HostSettings{"127.0.0.1": {Concurrency: limit}}}})
		ref, err := registry.ParseRef(f.host() + "/demo:v1")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, err := c.Repository(ref, Pull).Resolve(t.Context(), ref); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if !want(highest.Load()) {
			t.Errorf("limit %d: got %d concurrent requests", limit, highest.Load())
		}
	}
}

// The bytes of a large blob are passed on as they arrive from the mirror. If they break off, the registry itself
// serves the rest.
func TestTruncatedMirrorBlob(t *testing.T) {
	t.Parallel()
	layer := []byte(strings.Repeat("0123456789abcdef", 64<<10))
	d := v1.Descriptor{Digest: digest(layer), Size: int64(len(layer))}
	origin, mirror := newFake(t), newFake(t)
	origin.blobs["demo@"+d.Digest.String()] = layer
	mirror.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(layer)))
		_, _ = w.Write(layer[:len(layer)/2])
		panic(http.ErrAbortHandler)
	}
	var notes strings.Builder
	c := newTestClient(Options{
		Settings: Settings{Hosts: map[string]HostSettings{origin.host(): {Mirrors: []string{mirror.host()}}}},
		Note:     func(s string) { notes.WriteString(s + "\n") },
	})
	ref, err := registry.ParseRef(origin.host() + "/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	rc, err := c.Repository(ref, Pull).Blob(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if data, err := io.ReadAll(rc); err != nil || string(data) != string(layer) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if len(mirror.requests()) != 1 || !strings.Contains(notes.String(), "passing over a mirror") {
		t.Errorf("got requests %q to the mirror, notes %q", mirror.requests(), notes.String())
	}
}
