package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

const imageJSON = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`

func TestResolve(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.manifests["demo:v1"] = []byte(imageJSON)
	m, err := f.open(t, "demo", Pull).Resolve(t.Context(), f.ref(t, "demo:v1"))
	if err != nil || m.Digest != digest([]byte(imageJSON)) || m.MediaType != types.OCIManifestSchema1 {
		t.Fatalf("got %v, %v", m, err)
	}
	if got := f.requests(); len(got) != 1 || got[0] != "GET /v2/demo/manifests/v1" {
		t.Errorf("requests %q, want one GET", got)
	}
	if accept := f.seen[0].Get("Accept"); !strings.Contains(accept, string(types.DockerManifestList)) {
		t.Errorf("Accept %q has no list type", accept)
	}
}

func TestManifestErrors(t *testing.T) {
	t.Parallel()
	good := []byte(imageJSON)
	write := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		kind   error
		words  string
		hint   string
		sent   int
	}{
		"other bytes":     {write(200, imageJSON+" "), registry.ErrContent, "bytes, not", "", 1},
		"other digest":    {write(200, strings.Replace(imageJSON, "2", "3", 1)), registry.ErrContent, "not " + digest(good).String(), "", 1},
		"not a manifest":  {write(200, strings.Repeat(" ", len(imageJSON))), registry.ErrContent, "not JSON", "", 1},
		"too large":       {write(200, strings.Repeat(" ", maxManifest+1)), registry.ErrContent, "larger than 8 MiB", "", 1},
		"truncated":       {truncated(good), registry.ErrUnavailable, "cut off after", "", 3},
		"unknown":         {code(404, "MANIFEST_UNKNOWN", "manifest unknown"), registry.ErrNotFound, "MANIFEST_UNKNOWN", "", 1},
		"unknown name":    {code(404, "NAME_UNKNOWN", "no repository"), registry.ErrNotFound, "NAME_UNKNOWN", "no such repository", 1},
		"html":            {write(404, "<html><b>nginx</b></html>"), registry.ErrNotFound, "HTTP 404 Not Found", "", 1},
		"forbidden":       {code(403, "DENIED", "no"), registry.ErrDenied, "asked for no credentials", "", 1},
		"bad request":     {code(400, "NAME_INVALID", "bad name"), registry.ErrRefused, "NAME_INVALID: bad name", "", 1},
		"too many":        {code(429, "TOOMANYREQUESTS", "slow down"), registry.ErrUnavailable, "slow down (after 3 attempts)", "", 3},
		"timeout":         {write(408, ""), registry.ErrUnavailable, "HTTP 408", "", 3},
		"too early":       {write(425, ""), registry.ErrUnavailable, "HTTP 425", "", 3},
		"gateway":         {write(502, "<html>"), registry.ErrUnavailable, "HTTP 502 Bad Gateway (after", "", 3},
		"full disk":       {write(507, "no space"), registry.ErrRefused, "507 Insufficient Storage: no space", "", 1},
		"terminal escape": {write(500, "\x1b[31mred\nline"), registry.ErrUnavailable, ": [31mred line", "", 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.before = func(w http.ResponseWriter, r *http.Request) bool { tt.answer(w, r); return true }
			c := newTestClient(Options{Attempts: 3})
			_, err := c.Repository(f.ref(t, "demo"), Pull).Manifest(t.Context(), describe(good))
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.words) {
				t.Fatalf("got error %v, want %v with %q", err, tt.kind, tt.words)
			}
			if strings.ContainsAny(err.Error(), "<\x1b\n") {
				t.Errorf("error %q contains markup or control characters", err)
			}
			want := `"` + f.host() + "/demo@" + digest(good).String() + `": `
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not contain %s", err, want)
			}
			if got := hintOf(err); !strings.Contains(got, tt.hint) || tt.hint == "" && got != "" {
				t.Errorf("hint %q, want %q", got, tt.hint)
			}
			if got := len(f.requests()); got != tt.sent {
				t.Errorf("%d requests, want %d", got, tt.sent)
			}
		})
	}
}

func code(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) }
}

func TestManifestType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		header, body string
		want         types.MediaType
	}{
		{string(types.OCIImageIndex), `{"mediaType":"` + string(types.DockerManifestList) + `"}`, types.DockerManifestList},
		{"text/plain", `{"mediaType":"` + string(types.DockerManifestList) + `"}`, types.DockerManifestList},
		{string(types.DockerManifestSchema2) + "; charset=utf-8", `{"config":{}}`, types.DockerManifestSchema2},
		{"application/json", `{"config":{}}`, types.OCIManifestSchema1},
		{"", `{"manifests":[]}`, types.OCIImageIndex},
	}
	for _, tt := range tests {
		if got, err := registry.ManifestType(tt.header, []byte(tt.body)); err != nil || got != tt.want {
			t.Errorf("%q, %s: got %q, %v; want %q", tt.header, tt.body, got, err, tt.want)
		}
	}
	for header, body := range map[types.MediaType]string{
		types.OCIManifestSchema1: `{"mediaType":"` + string(types.DockerManifestList) + `"}`,
		types.OCIImageIndex:      `{"config":{}}`,
	} {
		if got, err := registry.ManifestType(string(header), []byte(body)); err == nil {
			t.Errorf("%q, %s: got %q, want an error", header, body, got)
		}
	}
	if _, err := registry.ManifestType("text/html", []byte("{}")); !errors.Is(err, registry.ErrContent) {
		t.Errorf("not a manifest: got error %v, want ErrContent", err)
	}
}

func TestWrongDigestHeader(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Docker-Content-Digest", digA)
		_, _ = io.WriteString(w, imageJSON)
		return true
	}
	_, err := f.open(t, "demo", Pull).Resolve(t.Context(), f.ref(t, "demo:v1"))
	if !errors.Is(err, registry.ErrContent) || !strings.Contains(err.Error(), digA) {
		t.Errorf("got error %v, want ErrContent with %s", err, digA)
	}
}

func TestSHA512(t *testing.T) {
	t.Parallel()
	m, err := registry.NewManifest("", []byte(imageJSON))
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Hash{Algorithm: "sha512", Hex: strings.Repeat("a", 128)}
	if err := m.Verify(want, "asked for"); err == nil || !strings.Contains(err.Error(), "sha512:") {
		t.Errorf("a wrong sha512 was accepted: %v", err)
	}
}

// Tag sends a GET and never a HEAD, so the response to HEAD does not matter.
func TestTag(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 403, 404, 405, 500, 501} {
		f := newFake(t)
		f.noDigest = status == 200
		f.manifests["demo:v1"] = []byte(imageJSON)
		f.manifests["demo:odd"] = []byte("not a manifest")
		f.manifests["demo:mistyped"] = []byte(`{"manifests":[]}`) // with the Content-Type of an image
		f.before = times(99, method("HEAD"), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		r := f.open(t, "demo", Pull)
		m, err := r.Tag(t.Context(), "v1")
		if err != nil || m.Digest != digest([]byte(imageJSON)) || m.MediaType != types.OCIManifestSchema1 {
			t.Errorf("HEAD %d: got %+v, %v", status, m.Descriptor(), err)
		}
		if odd, err := r.Tag(t.Context(), "odd"); err != nil && !errors.Is(err, registry.ErrContent) || odd.Digest != digest([]byte("not a manifest")) {
			t.Errorf("not a manifest: got %+v, %v, want its digest", odd.Descriptor(), err)
		}
		if list, err := r.Tag(t.Context(), "mistyped"); !errors.Is(err, registry.ErrContent) || !list.IsList() || list.Digest == (v1.Hash{}) {
			t.Errorf("a list with the type of an image: got %+v, %v", list.Descriptor(), err)
		}
		if _, err := r.Tag(t.Context(), "v2"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("missing tag: got error %v, want ErrNotFound", err)
		}
		if n := len(f.requests()); n != 4 {
			t.Errorf("got %d requests for four tags", n)
		}
	}
}

func TestRetryNotes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.manifests["demo:v1"] = []byte(imageJSON)
	f.before = times(2, method("GET"), code(503, "UNAVAILABLE", "starting"))
	var mu sync.Mutex
	var notes []string
	c := NewClient(Options{MaxWait: 20 * time.Millisecond, Note: func(s string) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, s)
	}})
	start := time.Now()
	_, err := c.Repository(f.ref(t, "demo"), Pull).Resolve(t.Context(), f.ref(t, "demo:v1"))
	if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "given up after attempt 2: all requests together have waited for 20ms") {
		t.Errorf("got error %v, want an error when the budget of 20ms is used up", err)
	}
	if took := time.Since(start); took < 20*time.Millisecond {
		t.Errorf("took %s, want a wait of 20ms", took)
	}
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "waiting 20ms before attempt 2 of 6: ") || !strings.Contains(notes[0], "HTTP 503") {
		t.Errorf("notes %q", notes)
	}
}

func TestNoRetryWhenInterrupted(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		cancel()
		code(503, "UNAVAILABLE", "no")(w, r)
		return true
	}
	notes := 0
	r := NewClient(Options{Note: func(string) { notes++ }}).Repository(f.ref(t, "demo"), Pull)
	for range 2 {
		_, err := r.Resolve(ctx, f.ref(t, "demo:v1"))
		if !errors.Is(err, context.Canceled) || errors.Is(err, registry.ErrUnavailable) {
			t.Errorf("got error %v, want context.Canceled without a kind", err)
		}
	}
	if len(f.requests()) != 1 || notes != 0 {
		t.Errorf("got %d requests and %d waits, want one request", len(f.requests()), notes)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
		"99999999999":                   1 << 20 * time.Second,
	}
	for value, want := range tests {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

func TestBlob(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("0123456789"), 50_000)
	halves := func(w http.ResponseWriter, r *http.Request) { truncated(body)(w, r) }
	plain := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }
	unsized := func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush() // so that no Content-Length is sent
		_, _ = w.Write(body)
	}
	tests := map[string]struct {
		before func(http.ResponseWriter, *http.Request) bool
		d      v1.Descriptor
		kind   error
		sent   int
	}{
		"complete":     {nil, describe(body), nil, 1},
		"unknown size": {nil, v1.Descriptor{Digest: digest(body)}, nil, 1},
		"broken once":  {times(1, method("GET"), halves), describe(body), nil, 2},
		"no ranges": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				plain(w, r)
			} else {
				halves(w, r)
			}
			return true
		}, describe(body), nil, 2},
		"broken always": {times(99, method("GET"), func(w http.ResponseWriter, r *http.Request) {
			panic(http.ErrAbortHandler)
		}), describe(body), registry.ErrUnavailable, 6},
		"other size":   {nil, v1.Descriptor{Digest: digest(body), Size: 5}, registry.ErrContent, 1},
		"longer":       {times(99, method("GET"), unsized), describe(body[:5]), registry.ErrContent, 1},
		"other digest": {times(1, method("GET"), plain), v1.Descriptor{Digest: digest([]byte("x")), Size: int64(len(body))}, registry.ErrContent, 1},
		"missing":      {nil, describe([]byte("y")), registry.ErrNotFound, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.add("demo", body)
			f.before = tt.before
			got, err := read(t.Context(), f.open(t, "demo", Pull), tt.d)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got error %v, want %v", err, tt.kind)
			}
			if tt.kind == nil && !bytes.Equal(got, body) {
				t.Errorf("got %d wrong bytes, want %d", len(got), len(body))
			}
			if n := len(f.requests()); n != tt.sent {
				t.Errorf("%d requests, want %d: %q", n, tt.sent, f.requests())
			}
		})
	}
}

func read(ctx context.Context, s registry.Source, d v1.Descriptor) ([]byte, error) {
	b, err := s.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.Close() }()
	return io.ReadAll(b)
}

func TestRedirectDropsCredentials(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	var leaked string
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = r.Header.Get("Authorization")
		_, _ = w.Write(body)
	}))
	t.Cleanup(storage.Close)
	f := newFake(t)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			refuse(w, 401, "UNAUTHORIZED", "log in")
			return true
		}
		http.Redirect(w, r, storage.URL+"/blob?signature=secret", http.StatusTemporaryRedirect)
		return true
	}
	c := newTestClient(Options{Credentials: credentialsFor(f.host(), "bob", "pw")})
	got, err := read(t.Context(), c.Repository(f.ref(t, "demo"), Pull), describe(body))
	if err != nil || string(got) != "layer" {
		t.Fatalf("got %q, %v", got, err)
	}
	if leaked != "" {
		t.Errorf("the storage was sent %q", leaked)
	}
	storage.Close()
	_, err = read(t.Context(), c.Repository(f.ref(t, "demo"), Pull), describe(body))
	if !errors.Is(err, registry.ErrUnavailable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got error %v, want ErrUnavailable without the signed address", err)
	}
}

// A blob with the text of a TLS server's error is not such an error.
func TestContentLikeTLSError(t *testing.T) {
	t.Parallel()
	body := []byte("Client sent an HTTP request to an HTTPS server.\n")
	f := newFake(t)
	got, err := read(t.Context(), f.open(t, "demo", Pull), f.add("demo", body))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWaitRespectsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	notes := 0
	c := NewClient(Options{Note: func(string) { notes++ }})
	err := c.attempts().wait(ctx, &Error{Kind: registry.ErrUnavailable, again: true})
	if !errors.Is(err, context.Canceled) || notes != 0 {
		t.Errorf("got error %v after %d notes, want context.Canceled and none", err, notes)
	}
}
