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
	blobs := func(answer func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			asked := strings.Contains(r.URL.Path, "/blobs/")
			if asked {
				answer(w)
			}
			return asked
		}
	}
	for name, tt := range map[string]struct {
		prefix string
		before func(http.ResponseWriter, *http.Request) bool
		empty  bool
		access Access
		origin bool // the registry itself is asked
		note   string
	}{
		"the mirror has it":       {note: "via mirror"},
		"below a path":            {prefix: "hub/", note: "via mirror"},
		"the mirror is empty":     {empty: true, origin: true},
		"the mirror is broken":    {before: status(503), origin: true, note: "passing over a mirror"},
		"the mirror wants a name": {before: status(401), origin: true, note: "passing over a mirror"},
		"the mirror lies": {before: func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
			return true
		}, origin: true, note: "passing over a mirror"},
		"the mirror's blob is another one": {
			before: blobs(func(w http.ResponseWriter) { _, _ = io.WriteString(w, "other") }),
			origin: true, note: "via mirror",
		},
		"the mirror breaks off": {before: blobs(func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "la")
			panic(http.ErrAbortHandler)
		}), origin: true, note: "via mirror"},
		"who writes asks the registry": {access: PullPush, origin: true},
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
			place := strings.TrimSuffix(mirror.host()+"/"+tt.prefix, "/")
			c := newTestClient(Options{
				Settings: Settings{Hosts: map[string]HostSettings{origin.host(): {Mirrors: []string{place}}}},
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
			if asked := len(origin.requests()) > 0; asked != tt.origin {
				t.Errorf("the registry itself was asked: %q; want %t", origin.requests(), tt.origin)
			}
			if !strings.Contains(notes.String(), tt.note) || strings.Count(notes.String(), "\n") > 1 &&
				!strings.Contains(notes.String(), "passing over") {
				t.Errorf("notes %q, want one of %q", notes.String(), tt.note)
			}
		})
	}
}

func TestConcurrencyOfAHost(t *testing.T) {
	t.Parallel()
	var now, most, enough atomic.Int32
	f := newFake(t)
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		most.Store(max(most.Load(), now.Add(1)))
		for time.Sleep(5 * time.Millisecond); most.Load() < enough.Load() &&
			r.Context().Err() == nil; time.Sleep(time.Millisecond) {
		}
		now.Add(-1)
		return false
	}
	f.manifests["demo:v1"] = []byte(imageJSON)
	for limit, want := range map[int]func(int32) bool{
		2: func(n int32) bool { return n <= 2 }, 0: func(n int32) bool { return n > 2 },
	} {
		most.Store(0)
		if enough.Store(0); limit == 0 {
			enough.Store(3) // however late they come
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
		if !want(most.Load()) {
			t.Errorf("limit %d: %d at once", limit, most.Load())
		}
	}
}

// Of a large blob the mirror's bytes go on at once; where they break off, the registry itself is asked for the rest
// alone.
func TestMirrorBreaksOff(t *testing.T) {
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
		t.Errorf("the mirror was asked %q; notes %q", mirror.requests(), notes.String())
	}
}
