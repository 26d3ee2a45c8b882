package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
	"mtool/registry/login"
)

// fake is a minimal registry for the tests inside the package.
type fake struct {
	*httptest.Server
	// before, if set, is called first. If it returns true, it has sent the response.
	before   func(w http.ResponseWriter, r *http.Request) bool
	mounts   bool // mounts blobs from other repositories and from the same one
	noDigest bool // leaves Docker-Content-Digest out

	mu        sync.Mutex
	blobs     map[string][]byte // by repo@digest
	manifests map[string][]byte // by repo@digest and repo:tag
	log       []string          // METHOD path?query
	seen      []http.Header
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := unstartedFake()
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func unstartedFake() *fake { return &fake{blobs: map[string][]byte{}, manifests: map[string][]byte{}} }

func (f *fake) host() string { return f.Listener.Addr().String() }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.log = append(f.log, r.Method+" "+r.URL.RequestURI())
	f.seen = append(f.seen, r.Header.Clone())
	f.mu.Unlock()
	if f.before != nil && f.before(w, r) {
		return
	}
	repo, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	if rest != "" {
		f.manifest(w, r, repo, rest)
		return
	}
	repo, rest, _ = strings.Cut(repo, "/blobs/")
	if strings.HasPrefix(rest, "uploads/") {
		f.upload(w, r, repo)
		return
	}
	f.blob(w, r, repo+"@"+rest)
}

func (f *fake) manifest(w http.ResponseWriter, r *http.Request, repo, name string) {
	key := repo + ":" + name
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodPut {
		body, _ := io.ReadAll(r.Body)
		f.manifests[key] = body
		f.manifests[repo+":"+digest(body).String()] = body
		f.answer(w, http.StatusCreated, body, false)
		return
	}
	body, ok := f.manifests[key]
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
	f.answer(w, http.StatusOK, body, r.Method == http.MethodGet)
}

func (f *fake) answer(w http.ResponseWriter, status int, body []byte, send bool) {
	if !f.noDigest {
		w.Header().Set("Docker-Content-Digest", digest(body).String())
	}
	w.WriteHeader(status)
	if send {
		_, _ = w.Write(body)
	}
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request, repo string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	query := r.URL.Query()
	switch r.Method {
	case http.MethodPost:
		if body, ok := f.blobs[query.Get("from")+"@"+query.Get("mount")]; ok && f.mounts {
			f.blobs[repo+"@"+query.Get("mount")] = body
			w.WriteHeader(http.StatusCreated)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/uploads/%d?_state=a%%3D%%3D", repo, len(f.log)))
		w.WriteHeader(http.StatusAccepted)
	case http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil || digest(body).String() != query.Get("digest") || query.Get("_state") != "a==" {
			refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content")
			return
		}
		f.blobs[repo+"@"+query.Get("digest")] = body
		w.WriteHeader(http.StatusCreated)
	case http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fake) blob(w http.ResponseWriter, r *http.Request, key string) {
	f.mu.Lock()
	body, ok := f.blobs[key]
	f.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// add stores a blob and returns its descriptor.
func (f *fake) add(repo string, body []byte) v1.Descriptor {
	d := describe(body)
	f.blobs[repo+"@"+d.Digest.String()] = body
	return d
}

// count returns the number of requests that begin with prefix.
func (f *fake) count(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, line := range f.log {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func (f *fake) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *fake) ref(t *testing.T, name string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(f.host() + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// open returns a repository of a new client with short pauses.
func (f *fake) open(t *testing.T, name string, a Access) *Repository {
	t.Helper()
	return newTestClient(Options{}).Repository(f.ref(t, name), a)
}

func newTestClient(o Options) *Client {
	if o.Pause == 0 {
		o.Pause = 5 * time.Millisecond
	}
	return NewClient(o)
}

func digest(body []byte) v1.Hash {
	h, _, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	return h
}

func describe(body []byte) v1.Descriptor {
	return v1.Descriptor{MediaType: types.OCILayer, Digest: digest(body), Size: int64(len(body))}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// times returns a hook that responds to the first n matching requests with do.
func times(n int, match func(*http.Request) bool, do http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		hit := n > 0 && match(r)
		if hit {
			n--
		}
		mu.Unlock()
		if hit {
			do(w, r)
		}
		return hit
	}
}

func method(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

// truncated sends half of body and closes the connection.
func truncated(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// memory is a source of blobs that counts its reads.
type memory struct {
	registry.Source
	blobs map[v1.Hash][]byte
	opens int
}

func (m *memory) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	m.opens++
	return io.NopCloser(bytes.NewReader(m.blobs[d.Digest])), nil
}

func sourceOf(body []byte) *memory { return &memory{blobs: map[v1.Hash][]byte{digest(body): body}} }

// brokenSource is a source whose blobs fail with err after a few bytes.
type brokenSource struct{ err error }

func (b brokenSource) Manifest(context.Context, v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, b.err
}

func (b brokenSource) Blob(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("la"), iotest.ErrReader(b.err))), nil
}

func hintOf(err error) string {
	var h registry.Hinter
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

const digA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// credentialsFor returns credentials as of a file called "file" with one host.
func credentialsFor(host, user, password string) *login.Credentials {
	return parseCredentials(fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, encoded(user, password)))
}

func encoded(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func parseCredentials(document string) *login.Credentials {
	c, err := login.Parse("file", []byte(document))
	if err != nil {
		panic(err)
	}
	return c
}

func put(t *testing.T, dir, name, body string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
}
