package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

func TestPutBlob(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	d := describe(body)
	tests := map[string]struct {
		mounts, exists bool
		want           registry.Moved
		log            []string // methods, sorted
	}{
		"absent":                   {false, false, registry.Copied, []string{"HEAD", "POST", "PUT"}},
		"absent, registry mounts":  {true, false, registry.Copied, []string{"HEAD", "POST", "PUT"}},
		"present":                  {false, true, registry.Present, []string{"DELETE", "HEAD", "POST"}},
		"present, registry mounts": {true, true, registry.Present, []string{"HEAD", "POST"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.mounts = tt.mounts
			if tt.exists {
				f.add("demo", body)
			}
			moved, err := f.open(t, "demo", PullPush).PutBlob(t.Context(), d, sourceOf(body))
			if err != nil || moved != tt.want {
				t.Fatalf("got %v, %v; want %v", moved, err, tt.want)
			}
			if got := methods(f); !slices.Equal(got, tt.log) {
				t.Errorf("requests %q, want %q", got, tt.log)
			}
			if got := f.blobs["demo@"+d.Digest.String()]; !bytes.Equal(got, body) {
				t.Errorf("stored %q", got)
			}
		})
	}
}

func methods(f *fake) []string {
	var out []string
	for _, line := range f.requests() {
		m, _, _ := strings.Cut(line, " ")
		out = append(out, m)
	}
	return slices.Sorted(slices.Values(out))
}

func TestMount(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	denied := times(1, method("POST"), code(http.StatusForbidden, "DENIED", "no mounts"))
	tests := map[string]struct {
		mounts, exists bool
		before         func(http.ResponseWriter, *http.Request) bool
		want           registry.Moved
		log            []string
	}{
		"mounted":             {true, false, nil, registry.Mounted, []string{"POST"}},
		"not mounted, absent": {false, false, nil, registry.Copied, []string{"GET", "HEAD", "POST", "PUT"}},
		"not mounted, exists": {false, true, nil, registry.Present, []string{"DELETE", "HEAD", "POST"}},
		"denied, copied":      {false, false, denied, registry.Copied, []string{"GET", "HEAD", "POST", "POST", "PUT"}},
		"mounted by a retry": {
			true, false, times(1, method("POST"), code(500, "", "")), registry.Mounted,
			[]string{"POST", "POST"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.mounts, f.before = tt.mounts, tt.before
			d := f.add("src", body)
			if tt.exists {
				f.add("dst", body)
			}
			c := newTestClient(Options{Concurrency: 1}) // fewer slots than an upload and its source need at once
			src, dst := c.Repository(f.ref(t, "src"), Pull), c.Repository(f.ref(t, "dst"), PullPush)
			moved, err := dst.PutBlob(t.Context(), d, src)
			if err != nil || moved != tt.want {
				t.Fatalf("got %v, %v; want %v", moved, err, tt.want)
			}
			if got := methods(f); !slices.Equal(got, tt.log) {
				t.Errorf("requests %q, want %q", got, tt.log)
			}
			if f.blobs["dst@"+d.Digest.String()] == nil {
				t.Error("the target does not have the blob")
			}
		})
	}
}

func TestMountNamesBothRepositories(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.mounts = true
	s := newTokenServer(t, f)
	s.grant = func(scopes []string) []string {
		if len(scopes) > 2 {
			return nil
		}
		return scopes
	}
	d := f.add("src", []byte("layer"))
	c := newTestClient(Options{})
	c.Repository(f.ref(t, "third"), Pull)
	dst := c.Repository(f.ref(t, "dst"), PullPush)
	if _, err := dst.PutBlob(t.Context(), d, c.Repository(f.ref(t, "src"), Pull)); err != nil {
		t.Fatal(err)
	}
	if got, want := s.requests()[0], "GET  repository:dst:pull,push repository:src:pull"; got != want {
		t.Errorf("token requests %q, want one of %q", s.requests(), want)
	}
	last := f.requests()[len(f.requests())-1]
	if !strings.Contains(last, "from=src&mount=sha256%3A") {
		t.Errorf("last request %q has no source", last)
	}
}

func TestBlobsNotUploaded(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	r := f.open(t, "demo", PullPush)
	foreign := describe([]byte("base"))
	foreign.MediaType = types.DockerForeignLayer
	for name, put := range map[string]func() (registry.Moved, error){
		"foreign":         func() (registry.Moved, error) { return r.PutBlob(t.Context(), foreign, sourceOf(nil)) },
		"same repository": func() (registry.Moved, error) { return r.PutBlob(t.Context(), describe([]byte("x")), r) },
	} {
		if moved, err := put(); err != nil || moved != registry.Present || len(f.requests()) != 0 {
			t.Errorf("%s: got %v, %v, requests %q", name, moved, err, f.requests())
		}
	}
}

func TestBlobIsUploadedOnce(t *testing.T) {
	t.Parallel()
	body := []byte("shared layer")
	f := newFake(t)
	r := f.open(t, "demo", PullPush)
	src := sourceOf(body)
	var copied sync.Map
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			moved, err := r.PutBlob(t.Context(), describe(body), src)
			if err != nil {
				t.Error(err)
			}
			if moved == registry.Copied {
				copied.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	copied.Range(func(any, any) bool { n++; return true })
	if n != 1 || f.count("PUT") != 1 || f.count("HEAD") != 1 {
		t.Errorf("%d copied, %d PUT, %d HEAD; want one of each", n, f.count("PUT"), f.count("HEAD"))
	}
}

func TestBrokenUploadRestarts(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("x"), 1<<20)
	faults := map[string]http.HandlerFunc{
		"connection broken": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			panic(http.ErrAbortHandler)
		},
		"unavailable": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			code(503, "UNAVAILABLE", "")(w, r)
		},
		"too many": code(429, "TOOMANYREQUESTS", ""),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.before = times(2, method("PUT"), fault)
			src := sourceOf(body)
			moved, err := f.open(t, "demo", PullPush).PutBlob(t.Context(), describe(body), src)
			if err != nil || moved != registry.Copied || src.opens != 3 {
				t.Errorf("got %v, %v after opening the source %d times", moved, err, src.opens)
			}
			if posts := f.count("POST"); posts != 3 {
				t.Errorf("%d POSTs, want a new upload for each of 3 attempts", posts)
			}
		})
	}
}

func TestUploadFailures(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	tests := map[string]struct {
		before func(http.ResponseWriter, *http.Request) bool
		src    registry.Source
		kind   error
	}{
		"wrong bytes":   {nil, &memory{blobs: map[v1.Hash][]byte{digest(body): []byte("liar!")}}, registry.ErrRefused},
		"short source":  {nil, &memory{blobs: map[v1.Hash][]byte{digest(body): []byte("lay")}}, registry.ErrUnavailable},
		"broken source": {nil, brokenSource{registry.ErrContent}, registry.ErrContent},
		"denied":        {times(9, method("POST"), code(403, "DENIED", "")), sourceOf(body), registry.ErrDenied},
		"too large":     {times(9, method("PUT"), code(413, "SIZE_INVALID", "")), sourceOf(body), registry.ErrRefused},
		"unknown name":  {times(9, method("POST"), code(404, "NAME_UNKNOWN", "")), sourceOf(body), registry.ErrNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.before = tt.before
			_, err := f.open(t, "demo", PullPush).PutBlob(t.Context(), describe(body), tt.src)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got error %v, want %v", err, tt.kind)
			}
			if len(f.blobs) != 0 {
				t.Errorf("stored %d blobs", len(f.blobs))
			}
		})
	}
}

// Some registries refuse a mount from the same repository.
func TestUploadWithoutMount(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	f := newFake(t)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.RawQuery != "" {
			refuse(w, http.StatusBadRequest, "UNSUPPORTED", "")
			return true
		}
		return false
	}
	moved, err := f.open(t, "demo", PullPush).PutBlob(t.Context(), describe(body), sourceOf(body))
	if err != nil || moved != registry.Copied {
		t.Errorf("got %v, %v", moved, err)
	}
}

func TestPutManifest(t *testing.T) {
	t.Parallel()
	m, err := registry.NewManifest("", []byte(imageJSON))
	if err != nil {
		t.Fatal(err)
	}
	stored := func(status int, digest string) func(http.ResponseWriter, *http.Request) bool {
		return times(9, method("PUT"), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", digest)
			w.WriteHeader(status)
		})
	}
	bad := func(status int, code, message string) func(http.ResponseWriter, *http.Request) bool {
		return times(9, method("PUT"), func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) })
	}
	tests := map[string]struct {
		before   func(http.ResponseWriter, *http.Request) bool
		noDigest bool
		kind     error
		words    string
		sent     int
	}{
		"written":          {nil, false, nil, "", 1},
		"no digest header": {nil, true, nil, "", 2},
		"503 twice":        {times(2, method("PUT"), code(503, "", "")), false, nil, "", 3},
		"another digest":   {stored(201, digA), false, registry.ErrRefused, "it stored " + digA + " instead of", 1},
		"not stored":       {stored(201, ""), false, registry.ErrNotFound, "", 2},
		"blob unknown": {
			times(9, method("PUT"), func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w,
					`{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown","detail":{"digest":"`+digA+`"}}]}`)
			}), false, registry.ErrRefused, "MANIFEST_BLOB_UNKNOWN: blob unknown (" + digA + ")", 1,
		},
		"invalid": {bad(400, "MANIFEST_INVALID", "no"), false, registry.ErrRefused, "MANIFEST_INVALID: no", 1},
		"moved":   {bad(412, "", ""), false, registry.ErrConflict, "HTTP 412", 1},
		"immutable (Harbor)": {
			bad(412, "PRECONDITION", "configured as immutable, cannot be updated"), false,
			registry.ErrConflict, "immutable", 1,
		},
		"immutable (ECR)": {
			bad(400, "TAG_INVALID",
				"The image tag 'v1' already exists and cannot be overwritten because the repository is immutable."), false,
			registry.ErrConflict, "", 1,
		},
		"immutable (403)":        {bad(403, "DENIED", "tag is immutable"), false, registry.ErrConflict, "", 1},
		"unauthorized":           {bad(401, "UNAUTHORIZED", ""), false, registry.ErrDenied, "", 1},
		"repository not created": {bad(404, "NAME_UNKNOWN", "create it"), false, registry.ErrNotFound, "NAME_UNKNOWN", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.before, f.noDigest = tt.before, tt.noDigest
			err := f.open(t, "demo", PullPush).PutTag(t.Context(), "v1", m)
			if !errors.Is(err, tt.kind) || err != nil && !strings.Contains(err.Error(), tt.words) {
				t.Fatalf("got error %v, want %v with %q", err, tt.kind, tt.words)
			}
			if n := len(f.requests()); n != tt.sent {
				t.Errorf("requests %q, want %d", f.requests(), tt.sent)
			}
			if tt.kind == nil && !bytes.Equal(f.manifests["demo:v1"], m.Body) {
				t.Error("the tag has another manifest")
			}
		})
	}
}

func TestPutManifestByDigest(t *testing.T) {
	t.Parallel()
	m, err := registry.NewManifest("", []byte(imageJSON))
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	f.noDigest = true
	if err := f.open(t, "demo", PullPush).PutManifest(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := "/v2/demo/manifests/" + m.Digest.String()
	if got := f.requests(); !slices.Equal(got, []string{"PUT " + want, "GET " + want}) {
		t.Errorf("requests %q", got)
	}
	if got := f.seen[0].Get("Content-Type"); got != string(m.MediaType) {
		t.Errorf("Content-Type %q, want %q", got, m.MediaType)
	}
}

// A blob that the registry reports missing is uploaded again, although this client has uploaded it.
func TestRefusedManifestForgetsBlobs(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	f := newFake(t)
	r := f.open(t, "demo", PullPush)
	if _, err := r.PutBlob(t.Context(), describe(body), sourceOf(body)); err != nil {
		t.Fatal(err)
	}
	clear(f.blobs)
	f.before = times(1, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/manifests/") },
		code(400, "MANIFEST_BLOB_UNKNOWN", ""))
	if err := r.PutManifest(t.Context(),
		registry.Manifest{
			MediaType: types.OCIManifestSchema1, Digest: digest([]byte("{}")),
			Body: []byte("{}"),
		}); err == nil {
		t.Fatal("the manifest was not refused")
	}
	if moved, err := r.PutBlob(t.Context(), describe(body), sourceOf(body)); err != nil || moved != registry.Copied {
		t.Errorf("got %v, %v; want Copied", moved, err)
	}
}

// A source that has used up its attempts is not read again by retries of the upload.
func TestAttemptsDoNotMultiply(t *testing.T) {
	t.Parallel()
	src, dst := newFake(t), newFake(t)
	d := src.add("demo", []byte("layer"))
	src.before = func(w http.ResponseWriter, r *http.Request) bool {
		code(503, "UNAVAILABLE", "")(w, r)
		return true
	}
	_, err := dst.open(t, "demo", PullPush).PutBlob(t.Context(), d, src.open(t, "demo", Pull))
	if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "reading blob") {
		t.Errorf("got error %v, want ErrUnavailable from the source", err)
	}
	if n := src.count("GET"); n != 6 {
		t.Errorf("got %d requests to the source, want 6", n)
	}
}

func TestUploadRedirectDropsCredentials(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	f, elsewhere := newFake(t), newFake(t)
	guard := wantBasic("bob", "pw")
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if guard(w, r) {
			return true
		}
		if r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Location", elsewhere.URL+"/v2/demo/blobs/uploads/1?_state=a%3D%3D")
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	ours := map[string]HostSettings{f.host(): {Headers: map[string]string{"X-Tenant": "blue"}}}
	c := newTestClient(Options{Settings: Settings{Hosts: ours}, Credentials: credentialsFor(f.host(), "bob", "pw")})
	moved, err := c.Repository(f.ref(t, "demo"), PullPush).PutBlob(t.Context(), describe(body), sourceOf(body))
	if err != nil || moved != registry.Copied || len(elsewhere.blobs) != 1 {
		t.Fatalf("got %v, %v, %d blobs", moved, err, len(elsewhere.blobs))
	}
	if leaked := elsewhere.seen[0].Get("Authorization") + elsewhere.seen[0].Get("X-Tenant"); leaked != "" {
		t.Errorf("the other host got %q", leaked)
	}
}

// Large blobs use at most a quarter of the concurrent requests. Small ones do not wait for each other.
func TestTransferLimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]int{0: 64, 20 << 20: 25, 32 << 20: 16, 10 << 30: 16} {
		synctest.Test(t, func(t *testing.T) {
			c := newTestClient(Options{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var done []func()
			for range 64 {
				end, err := c.transfer(ctx, size)
				if err != nil {
					break
				}
				done = append(done, end)
			}
			if len(done) != want {
				t.Errorf("got %d concurrent blobs of %d bytes, want %d", len(done), size, want)
			}
			for _, end := range done {
				end()
			}
			if _, err := c.transfer(t.Context(), 10<<30); err != nil {
				t.Error(err)
			}
		})
	}
}
