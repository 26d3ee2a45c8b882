package registrytest_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
)

type registryManifest = registry.Manifest

var linux = v1.Platform{OS: "linux", Architecture: "amd64"}

// send sends a request and returns the response and its body.
func send(
	t *testing.T, s *registrytest.Server, method, path string, change func(*http.Request),
) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Host()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func status(t *testing.T, s *registrytest.Server, method, path string, change func(*http.Request)) int {
	t.Helper()
	resp, _, err := send(t, s, method, path, change)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode
}

func body(data []byte) func(*http.Request) {
	return func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data)) }
}

func TestMount(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(registrytest.ImageSpec{Platform: linux})
	digest := b.Order[0].Digest
	path := "/v2/to/blobs/uploads/?from=from&mount=" + url.QueryEscape(digest.String())
	for _, tt := range []struct {
		options registrytest.Options
		want    int
		has     bool
	}{
		{registrytest.Options{}, http.StatusCreated, true},
		{registrytest.Options{NoMount: true}, http.StatusAccepted, false},
	} {
		s := registrytest.New(t, tt.options)
		if got := status(t, s, "POST", path, nil); got != http.StatusAccepted {
			t.Errorf("mounting a missing blob: %d", got)
		}
		s.Load("from", "v1", b)
		if got := status(t, s, "POST", path, nil); got != tt.want || s.Has("to", digest) != tt.has {
			t.Errorf("%+v: got %d, has blob %t", tt.options, got, s.Has("to", digest))
		}
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{})
	data := []byte("some bytes")
	digest := url.QueryEscape(registrytest.Hash(data).String())
	start := func() string {
		resp, _, err := send(t, s, "POST", "/v2/a/b/blobs/uploads/", nil)
		if err != nil || resp.StatusCode != http.StatusAccepted {
			t.Fatalf("starting an upload: %v %v", resp, err)
		}
		return resp.Header.Get("Location")
	}
	chunked := start()
	if got := status(t, s, "PATCH", chunked, body(data[:4])); got != http.StatusAccepted {
		t.Errorf("first chunk: %d", got)
	}
	late := func(r *http.Request) { body(data[5:])(r); r.Header.Set("Content-Range", "5-9") }
	if got := status(t, s, "PATCH", chunked, late); got != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a chunk with a gap: %d", got)
	}
	if got := status(t, s, "PUT", chunked+"&digest="+digest, body(data[4:])); got != http.StatusCreated {
		t.Errorf("the last chunk: %d", got)
	}
	if got := status(t, s, "PUT", start()+"&digest="+digest, body(data[1:])); got != http.StatusBadRequest {
		t.Errorf("a blob with another digest: %d", got)
	}
	cancelled := start()
	if s.Uploads() != 1 {
		t.Errorf("got %d open uploads, want 1", s.Uploads())
	}
	if got := status(t, s, "DELETE", cancelled, nil); got != http.StatusNoContent || s.Uploads() != 0 {
		t.Errorf("cancelling: got %d, %d open uploads", got, s.Uploads())
	}
	if got := status(t, s, "PUT", cancelled+"&digest="+digest, body(data)); got != http.StatusNotFound {
		t.Errorf("finishing a cancelled upload: %d", got)
	}
}

func TestTagsAndDelete(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{PageSize: 2})
	b := registrytest.Image(registrytest.ImageSpec{Platform: linux})
	if got := status(t, s, "GET", "/v2/demo/tags/list", nil); got != http.StatusNotFound {
		t.Errorf("tags of an unknown repository: %d", got)
	}
	for _, tag := range []string{"c", "a", "b"} {
		s.Load("demo", tag, b)
	}
	resp, page, err := send(t, s, "GET", "/v2/demo/tags/list", nil)
	if err != nil || !bytes.Contains(page, []byte(`["a","b"]`)) || !strings.Contains(resp.Header.Get("Link"), "last=b") {
		t.Errorf("first page: %s %v %v", page, resp.Header, err)
	}
	if _, page, _ = send(t, s, "GET", "/v2/demo/tags/list?last=b", nil); !bytes.Contains(page, []byte(`["c"]`)) {
		t.Errorf("second page: %s", page)
	}
	if got := status(t, s, "DELETE", "/v2/demo/manifests/a", nil); got != http.StatusAccepted ||
		!s.Has("demo", b.Digest()) {
		t.Errorf("deleting a tag: got %d, has manifest %t", got, s.Has("demo", b.Digest()))
	}
	if got := status(t, s, "DELETE", "/v2/demo/manifests/"+b.Digest().String(), nil); got != http.StatusAccepted {
		t.Errorf("deleting a manifest: %d", got)
	}
	if _, ok := s.Tag("demo", "b"); ok || s.Has("demo", b.Digest()) {
		t.Error("the deleted manifest or a tag of it still exists")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	b := registrytest.Image(registrytest.ImageSpec{Platform: linux})
	s := registrytest.New(t, registrytest.Options{})
	s.Load("demo", "v1", b)
	s.Fault(registrytest.Fault{
		Status: 429, Times: 2, After: 1, Method: "GET", Path: "/manifests/",
		Code: "TOOMANYREQUESTS", RetryAfter: 1500 * time.Millisecond,
	})
	var got []int
	for range 4 {
		got = append(got, status(t, s, "GET", "/v2/demo/manifests/v1", nil))
	}
	if want := []int{200, 429, 429, 200}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
	if n := s.Count("GET", "/manifests/v1"); n != 4 {
		t.Errorf("%d requests counted, want 4", n)
	}
	s.Fault(registrytest.Fault{Drop: true})
	if _, _, err := send(t, s, "POST", "/v2/a/blobs/uploads/", nil); err == nil {
		t.Error("got a response on a dropped connection")
	}
	s.Fault(registrytest.Fault{Truncate: true, Path: "/blobs/"})
	_, data, err := send(t, s, "GET", "/v2/demo/blobs/"+b.Order[0].Digest.String(), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(data) != int(b.Order[0].Size/2) {
		t.Errorf("a truncated body: %d of %d bytes, %v", len(data), b.Order[0].Size, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s.Fault(registrytest.Fault{Hang: true})
	if _, _, err := send(t, s, "GET", "/v2/", func(r *http.Request) { *r = *r.WithContext(ctx) }); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("a registry that hangs: %v", err)
	}
}

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{Username: "u", Password: "p"})
	for password, want := range map[string]int{"p": http.StatusOK, "wrong": http.StatusUnauthorized} {
		if got := status(t, s, "GET", "/v2/", func(r *http.Request) { r.SetBasicAuth("u", password) }); got != want {
			t.Errorf("password %q: %d, want %d", password, got, want)
		}
	}
	resp, _, err := send(t, s, "GET", "/v2/", nil)
	if err != nil || resp.StatusCode != http.StatusUnauthorized ||
		!strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("without a password: %v %v", resp, err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{Username: "u", Password: "p", Token: true, AnonymousPull: true})
	s.Load("demo", "v1", registrytest.Image(registrytest.ImageSpec{Platform: linux}))
	resp, _, err := send(t, s, "GET", "/v2/demo/manifests/v1", nil)
	if err != nil || !strings.Contains(resp.Header.Get("WWW-Authenticate"), `scope="repository:demo:pull"`) {
		t.Fatalf("challenge: %v %v", resp, err)
	}
	token := func(known bool, scope string) func(*http.Request) {
		_, answer, err := send(t, s, "GET", "/token?scope="+url.QueryEscape(scope), func(r *http.Request) {
			if known {
				r.SetBasicAuth("u", "p")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(answer), `"`)
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+parts[slices.Index(parts, "token")+2]) }
	}
	for _, tt := range []struct {
		name   string
		auth   func(*http.Request)
		method string
		repo   string
		want   int
	}{
		{"anonymous pull", token(false, "repository:demo:pull"), "GET", "demo", http.StatusOK},
		{"anonymous push", token(false, "repository:demo:pull,push"), "POST", "demo", http.StatusUnauthorized},
		{"push with a pull scope", token(true, "repository:demo:pull"), "POST", "demo", http.StatusUnauthorized},
		{"push", token(true, "repository:demo:pull,push"), "POST", "demo", http.StatusAccepted},
		{"another repository", token(true, "repository:demo:pull,push"), "POST", "other", http.StatusUnauthorized},
	} {
		path := map[string]string{"GET": "/manifests/v1", "POST": "/blobs/uploads/"}[tt.method]
		if got := status(t, s, tt.method, "/v2/"+tt.repo+path, tt.auth); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := s.Scopes(); len(got) != 5 || got[1][0] != "repository:demo:pull,push" {
		t.Errorf("recorded scopes: %v", got)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	s := registrytest.New(t, registrytest.Options{TLS: true})
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	for _, roots := range []*x509.CertPool{pool, x509.NewCertPool()} {
		client := tlsClient(roots)
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.Host()+"/v2/", http.NoBody)
		resp, err := client.Do(r)
		if (err == nil) != (roots == pool) {
			t.Errorf("trusted: %t, error: %v", roots == pool, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
	}
}
