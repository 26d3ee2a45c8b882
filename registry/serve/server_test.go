package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry/registrytest"
	"mtool/registry/serve"
	"mtool/registry/store"
)

func image(seed string) registrytest.Built {
	return registrytest.Image(registrytest.ImageSpec{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Seed: seed,
		Padding: 2000,
	})
}

// storeWith returns a store with a different image under each name.
func storeWith(t *testing.T, names ...string) *store.Store {
	t.Helper()
	s := store.Open(t.TempDir() + "/store")
	for _, name := range names {
		ref := parse(t, "store:"+name)
		w := s.Writer(ref)
		if err := errors.Join(image(name).Push(t.Context(), w, ref.Tag), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

type reply struct {
	*http.Response
	body string
}

func do(t *testing.T, method, url string, change ...func(*http.Request)) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{resp, string(body)}
}

func code(t *testing.T, r reply) string {
	t.Helper()
	var doc struct{ Errors []struct{ Code string } }
	if err := json.Unmarshal([]byte(r.body), &doc); err != nil || len(doc.Errors) != 1 {
		return ""
	}
	return doc.Errors[0].Code
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	host := start(t,
		storeWith(t, "demo:v1", "demo:v2", "ghcr.io/team/app:v1", "127.0.0.1:5000/near:v1", "a.example/both:v1",
			"b.example/both:v1"), serve.Options{})
	demo, app := image("demo:v1"), image("ghcr.io/team/app:v1")
	layer := demo.Order[0].Digest.String()
	none := "sha256:" + strings.Repeat("0", 64)
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/v2/", 200, ""},
		{"GET", "/", 404, "UNSUPPORTED"},
		{"GET", "/v2/demo/manifests/v1", 200, ""},
		{"HEAD", "/v2/demo/manifests/v1", 200, ""},
		{"GET", "/v2/library/demo/manifests/v1", 200, ""},
		{"GET", "/v2/docker.io/library/demo/manifests/v1", 200, ""},
		{"GET", "/v2/demo/manifests/" + demo.Digest().String(), 200, ""},
		{"GET", "/v2/demo/manifests/nope", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/demo/manifests/" + none, 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/demo/manifests/" + app.Digest().String(), 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/demo/manifests/" + layer, 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/demo/manifests/sha256:12", 400, "DIGEST_INVALID"},
		{"GET", "/v2/nope/manifests/v1", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/UPPER/manifests/v1", 400, "NAME_INVALID"},
		{"GET", "/v2/..%2f..%2fetc/manifests/v1", 400, "NAME_INVALID"},
		{"GET", "/v2/ghcr.io/team/app/manifests/v1", 200, ""},
		{"GET", "/v2/team/app/manifests/v1", 200, ""},
		{"GET", "/v2/near/manifests/v1", 200, ""},
		{"GET", "/v2/both/manifests/v1", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/a.example/both/manifests/v1", 200, ""},
		{"GET", "/v2/demo/blobs/" + layer, 200, ""},
		{"HEAD", "/v2/demo/blobs/" + layer, 200, ""},
		{"GET", "/v2/team/app/blobs/" + layer, 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/demo/blobs/" + none, 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/demo/blobs/v1", 400, "DIGEST_INVALID"},
		{"GET", "/v2/demo/referrers/" + none, 200, ""},
		{"GET", "/v2/demo/referrers/x", 400, "DIGEST_INVALID"},
		{"GET", "/v2/demo/tags/other", 404, "UNSUPPORTED"},
		{"GET", "/v2/demo/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID"},
		{"PUT", "/v2/demo/manifests/v1", 405, "UNSUPPORTED"},
		{"POST", "/v2/demo/blobs/uploads/", 405, "UNSUPPORTED"},
		{"DELETE", "/v2/demo/manifests/v1", 405, "UNSUPPORTED"},
	} {
		got := do(t, tt.method, host+tt.path)
		if got.StatusCode != tt.status || code(t, got) != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, got.StatusCode, got.body, tt.status, tt.code)
		}
	}
}

func TestHeadersOfContent(t *testing.T) {
	t.Parallel()
	host, demo := start(t, storeWith(t, "demo:v1"), serve.Options{}), image("demo:v1")
	for _, method := range []string{"GET", "HEAD"} {
		got := do(t, method, host+"/v2/demo/manifests/v1")
		if got.Header.Get("Content-Type") != string(demo.Manifest.MediaType) ||
			got.Header.Get("Docker-Content-Digest") != demo.Digest().String() ||
			got.ContentLength != int64(len(demo.Manifest.Body)) {
			t.Errorf("%s of the manifest: %v, %d bytes", method, got.Header, got.ContentLength)
		}
	}
	layer := demo.Order[len(demo.Order)-1]
	url, data := host+"/v2/demo/blobs/"+layer.Digest.String(), string(demo.Blobs[layer.Digest])
	part := do(t, "GET", url, func(r *http.Request) { r.Header.Set("Range", "bytes=100-") })
	if part.StatusCode != http.StatusPartialContent || part.body != data[100:] ||
		!strings.HasPrefix(part.Header.Get("Content-Range"), "bytes 100-") {
		t.Errorf("a part of a blob: %d, %d bytes", part.StatusCode, len(part.body))
	}
	beyond := do(t, "GET", url, func(r *http.Request) { r.Header.Set("Range", "bytes=99999999-") })
	if beyond.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a part beyond the end: %d", beyond.StatusCode)
	}
	if head := do(t, "HEAD", url); head.ContentLength != layer.Size {
		t.Errorf("HEAD of a blob: %d bytes, want %d", head.ContentLength, layer.Size)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	host := start(t, storeWith(t, "demo:c", "demo:a", "demo:b", "other:v1"), serve.Options{})
	for _, tt := range []struct{ query, body, link string }{
		{"/demo/tags/list", `{"name":"demo","tags":["a","b","c"]}`, ""},
		{"/demo/tags/list?n=2", `{"name":"demo","tags":["a","b"]}`, `</v2/demo/tags/list?last=b&n=2>; rel="next"`},
		{"/demo/tags/list?n=2&last=b", `{"name":"demo","tags":["c"]}`, ""},
		{"/demo/tags/list?n=0", `{"name":"demo","tags":[]}`, ""},
		{"/demo/tags/list?last=z", `{"name":"demo","tags":[]}`, ""},
		{"/_catalog", `{"repositories":["demo","other"]}`, ""},
	} {
		got := do(t, "GET", host+"/v2"+tt.query)
		if strings.TrimSpace(got.body) != tt.body || got.Header.Get("Link") != tt.link {
			t.Errorf("%s: %s %s, want %s %s", tt.query, got.body, got.Header.Get("Link"), tt.body, tt.link)
		}
	}
}

// A web page whose host name resolves to 127.0.0.1 is refused.
func TestHostIsChecked(t *testing.T) {
	t.Parallel()
	host := start(t, storeWith(t, "demo:v1"), serve.Options{Hosts: []string{"localhost:5000"}})
	for name, status := range map[string]int{
		"localhost:5000": 200, "LOCALHOST:5000": 200, "evil.example:5000": 403,
		"localhost": 403, "localhost:5001": 403,
	} {
		if got := do(t, "GET", host+"/v2/demo/manifests/v1",
			func(r *http.Request) { r.Host = name }); got.StatusCode != status {
			t.Errorf("Host %s: %d, want %d", name, got.StatusCode, status)
		}
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	host := start(t, storeWith(t, "demo:v1"), serve.Options{Users: serve.OneUser("bob", "secret")})
	for _, tt := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"bob", "wrong", 401}, {"eve", "secret", 401}, {"bob", "", 401}, {"bob", "secret", 200}} {
		got := do(t, "GET", host+"/v2/", func(r *http.Request) {
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.password)
			}
		})
		if got.StatusCode != tt.status || (tt.status == 401) != (got.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s:%s: %d %v, want %d", tt.user, tt.password, got.StatusCode, got.Header, tt.status)
		}
	}
}

// Images added to the store while it is served are found at once, and damaged ones are not a 404.
func TestStoreChanges(t *testing.T) {
	t.Parallel()
	s := storeWith(t, "demo:v1")
	host := start(t, s, serve.Options{})
	if got := do(t, "GET", host+"/v2/late/manifests/v1"); got.StatusCode != 404 {
		t.Fatalf("before: %d", got.StatusCode)
	}
	late := image("late")
	ref := parse(t, "store:late:v1")
	w := s.Writer(ref)
	if err := errors.Join(late.Push(t.Context(), w, "v1"), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := do(t, "GET", host+"/v2/late/manifests/v1"); got.StatusCode != 200 {
		t.Errorf("after: %d %s", got.StatusCode, got.body)
	}
	if err := s.Remove(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if got := do(t, "GET", host+"/v2/late/blobs/"+late.Order[0].Digest.String()); got.StatusCode != 404 {
		t.Errorf("removed: %d", got.StatusCode)
	}
	file := filepath.Join(s.Dir(), "blobs/sha256", image("demo:v1").Digest().Hex)
	if err := os.WriteFile(file, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := do(t, "GET", host+"/v2/demo/manifests/v1"); got.StatusCode != 500 || !strings.Contains(got.body, file) {
		t.Errorf("damaged: %d %s", got.StatusCode, got.body)
	}
}

func TestRunEndsWithContext(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve.Run(ctx, l, serve.New(storeWith(t, "demo:v1"), serve.Options{})) }()
	if got := do(t, "GET", l.Addr().String()+"/v2/"); got.StatusCode != 200 {
		t.Errorf("running: %d", got.StatusCode)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended: %v", err)
		}
	case <-time.After(10 * time.Minute):
		t.Error("Run did not return")
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the port is still open")
	}
}
