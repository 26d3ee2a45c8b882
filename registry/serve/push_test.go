package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/registrytest"
	"mtool/registry/remote"
	"mtool/registry/serve"
	"mtool/registry/store"
)

// startWritable serves an empty store to which clients may push, and returns it and its host.
func startWritable(t *testing.T, o serve.Options) (*store.Store, string) {
	t.Helper()
	o.Writable = true
	s := store.Open(t.TempDir() + "/store")
	handler := serve.New(s, o)
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		if err := handler.Close(); err != nil {
			t.Error(err)
		}
		if left := files(t, filepath.Join(s.Dir(), ".mtool", "stage-*")); len(left) > 0 {
			t.Errorf("files of uploads left: %q", left)
		}
	})
	return s, strings.TrimPrefix(server.URL, "http://")
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stagedFiles returns the files of uploads.
func stagedFiles(t *testing.T, s *store.Store) []string {
	t.Helper()
	return append(files(t, filepath.Join(s.Dir(), ".mtool/stage-*/upload-*")),
		files(t, filepath.Join(s.Dir(), ".mtool/stage-*/blobs-*/*"))...)
}

// names returns the names in the store.
func names(t *testing.T, s *store.Store) []string {
	t.Helper()
	images, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, image := range images {
		all = append(all, strings.TrimPrefix(image.Ref.Name(), "docker.io/library/"))
	}
	return all
}

func client(t *testing.T, name string) *remote.Repository {
	t.Helper()
	return remote.NewClient(remote.Options{Pause: time.Millisecond}).Repository(parse(t, name), remote.PullPush)
}

// TestPushSuite pushes to and reads from the served store.
func TestPushSuite(t *testing.T) {
	t.Parallel()
	registrytest.Suite(t, func(t *testing.T) registrytest.Endpoint {
		_, host := startWritable(t, serve.Options{})
		ref := parse(t, host+"/suite/demo")
		repository := client(t, host+"/suite/demo")
		return registrytest.Endpoint{
			Target: repository, Source: repository,
			Resolve: func(ctx context.Context, tag string) (registry.Manifest, error) {
				return repository.Resolve(ctx, ref.WithTag(tag))
			},
		}
	})
}

// withBody sets the body of a request.
func withBody(kind string, data []byte) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		r.Header.Set("Content-Type", kind)
	}
}

const octets = "application/octet-stream"

// upload uploads a blob in one request.
func upload(t *testing.T, host, repo string, data []byte) v1.Hash {
	t.Helper()
	h := registrytest.Hash(data)
	if got := do(t, "POST", host+"/v2/"+repo+"/blobs/uploads/?digest="+h.String(),
		withBody(octets, data)); got.StatusCode != 201 {
		t.Fatalf("uploading: %d %s", got.StatusCode, got.body)
	}
	return h
}

// pushImage pushes an image under the tag, and returns it.
func pushImage(t *testing.T, host, repo, tag string) registrytest.Built {
	t.Helper()
	b := image(repo + tag)
	if err := b.Push(t.Context(), client(t, host+"/"+repo), tag); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPushStatus(t *testing.T) {
	t.Parallel()
	s, host := startWritable(t, serve.Options{MaxBlob: 5000})
	demo := pushImage(t, host, "demo", "v1")
	kind, body := string(demo.Manifest.MediaType), demo.Manifest.Body
	list := string(registrytest.List(listOf(demo)).Manifest.MediaType)
	wrongSize := bytes.Replace(body, fmt.Appendf(nil, `"size":%d`, demo.Order[0].Size),
		fmt.Appendf(nil, `"size":%d`, demo.Order[0].Size+1), 1)
	none := "sha256:" + strings.Repeat("0", 64)
	for _, tt := range []struct {
		method, path, kind string
		body               []byte
		status             int
		code               string
	}{
		{"PUT", "/v2/demo/manifests/v2", kind, body, 201, ""},
		{"PUT", "/v2/demo/manifests/v2", kind + "; charset=utf-8", body, 201, ""},
		{"PUT", "/v2/other/manifests/v1", kind, body, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"PUT", "/v2/demo/manifests/" + none, kind, body, 400, "DIGEST_INVALID"},
		{"PUT", "/v2/demo/manifests/sha256:12", kind, body, 400, "DIGEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", list, body, 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", "text/plain", body, 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", kind, wrongSize, 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", kind, []byte("{"), 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", kind, []byte(`{"config":{},"CONFIG":{}}`), 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/demo/manifests/v2", kind, bytes.Repeat([]byte(" "), 5<<20), 413, "SIZE_INVALID"},
		{"PUT", "/v2/demo/manifests/" + demo.Digest().String() + "?tag=a&tag=-", kind, body, 400, "MANIFEST_INVALID"},
		{"PUT", "/v2/UPPER/manifests/v2", kind, body, 400, "NAME_INVALID"},
		{"POST", "/v2/demo/blobs/uploads/?digest=" + none, octets, []byte("x"), 400, "DIGEST_INVALID"},
		{
			"POST", "/v2/demo/blobs/uploads/?digest=" + registrytest.Hash(make([]byte, 5001)).String(), octets,
			make([]byte, 5001), 413, "SIZE_INVALID",
		},
		{"POST", "/v2/demo/blobs/uploads/?mount=" + none + "&from=other", octets, nil, 202, ""},
		{"PATCH", "/v2/demo/blobs/uploads/nosuch", octets, nil, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"GET", "/v2/demo/blobs/uploads/nosuch", octets, nil, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"GET", "/v2/nosuch/tags/list", octets, nil, 404, "NAME_UNKNOWN"},
		{"DELETE", "/v2/demo/manifests/nosuch", octets, nil, 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/v2/demo/manifests/" + none, octets, nil, 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/v2/demo/blobs/" + demo.Order[0].Digest.String(), octets, nil, 405, "UNSUPPORTED"},
		{"DELETE", "/v2/demo/tags/list", octets, nil, 405, "UNSUPPORTED"},
	} {
		got := do(t, tt.method, host+tt.path, withBody(tt.kind, tt.body))
		if got.StatusCode != tt.status || code(t, got) != tt.code {
			t.Errorf("%s %s, %s, %d bytes: %d %s, want %d %s", tt.method, tt.path, tt.kind, len(tt.body), got.StatusCode,
				got.body, tt.status, tt.code)
		}
	}
	if got := names(t, s); !slices.Equal(got, []string{"demo:v1", "demo:v2"}) {
		t.Errorf("the store has %q", got)
	}
}

// A web page cannot push, even if its request has the right host.
func TestWebPagesCannotPush(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{})
	for name, status := range map[string]int{"": 202, "http://evil.example": 403} {
		got := do(t, "POST", host+"/v2/demo/blobs/uploads/", func(r *http.Request) {
			if name != "" {
				r.Header.Set("Origin", name)
			}
		})
		if got.StatusCode != status {
			t.Errorf("from %q: %d, want %d", name, got.StatusCode, status)
		}
	}
}

func listOf(images ...registrytest.Built) (spec registrytest.ListSpec) {
	for _, b := range images {
		spec.Entries = append(spec.Entries, registrytest.Entry{Built: b})
	}
	return spec
}

// Pushed content stays readable by digest, and the store has only the names needed for that.
func TestNamesOfPushes(t *testing.T) {
	t.Parallel()
	s, host := startWritable(t, serve.Options{})
	one, two := image("one"), image("two")
	list := registrytest.List(listOf(one, two))
	target := client(t, host+"/demo")
	digest := func(b registrytest.Built) string { return "demo@" + b.Digest().String() }
	step := func(name string, want ...string) {
		t.Helper()
		if got := names(t, s); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Fatalf("%s: the store has %q, want %q", name, got, want)
		}
		if _, err := s.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	status := func(method, path string, want int) {
		t.Helper()
		if got := do(t, method, host+"/v2/demo/"+path); got.StatusCode != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, got.StatusCode, got.body, want)
		}
	}
	for _, b := range []registrytest.Built{one, two} {
		if err := b.Push(t.Context(), target, ""); err != nil {
			t.Fatal(err)
		}
	}
	step("two images by digest", digest(one), digest(two))
	if err := target.PutTag(t.Context(), "v1", list.Manifest); err != nil {
		t.Fatal(err)
	}
	step("their list with a tag", "demo:v1")
	status("GET", "manifests/"+one.Digest().String(), 200)
	if err := target.PutTag(t.Context(), "v1", one.Manifest); err != nil {
		t.Fatal(err)
	}
	step("the tag moved", "demo:v1", digest(list))
	status("GET", "manifests/"+list.Digest().String(), 200)
	status("DELETE", "manifests/"+two.Digest().String(), 405)
	status("DELETE", "manifests/v1", 202)
	step("the tag deleted", digest(list))
	status("GET", "manifests/"+one.Digest().String(), 200)
	status("DELETE", "manifests/"+list.Digest().String(), 202)
	step("the list deleted")
	status("GET", "manifests/"+one.Digest().String(), 404)
	status("HEAD", "blobs/"+one.Order[0].Digest.String(), 404)
	if left := files(t, filepath.Join(s.Dir(), "blobs/*/*")); len(left) > 0 {
		t.Errorf("blobs left: %q", left)
	}
}

// An interrupted upload can be resumed, and only with the next byte.
func TestUploadInParts(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{})
	data := bytes.Repeat([]byte("0123456789"), 20_000)
	location := do(t, "POST", host+"/v2/demo/blobs/uploads/").Header.Get("Location")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", location, len(data), data[:100_000])
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	var status reply
	for range 3000 { // until the server has read all data
		if status = do(t, "GET", host+location); status.Header.Get("Range") == "0-99999" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if status.StatusCode != 204 || status.Header.Get("Range") != "0-99999" {
		t.Fatalf("interrupted: %d %v", status.StatusCode, status.Header)
	}
	at := func(chunk string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Range", chunk) }
	}
	for chunk, want := range map[string]int{"0-9": 416, "100001-100010": 416, "100000-100010": 416, "x": 416} {
		if got := do(t, "PATCH", host+location, withBody(octets, data[:10]), at(chunk)); got.StatusCode != want ||
			got.Header.Get("Range") != "0-99999" {
			t.Errorf("chunk %s: %d %v, want %d", chunk, got.StatusCode, got.Header, want)
		}
	}
	if got := do(t, "PATCH", host+location, withBody(octets, data[100_000:150_000]),
		at("100000-149999")); got.StatusCode != 202 || got.Header.Get("Range") != "0-149999" {
		t.Fatalf("the next chunk: %d %v", got.StatusCode, got.Header)
	}
	h := registrytest.Hash(data)
	if got := do(t, "PUT", host+location+"?digest="+h.String(), withBody(octets, data[150_000:])); got.StatusCode != 201 ||
		got.Header.Get("Docker-Content-Digest") != h.String() {
		t.Fatalf("the last chunk: %d %s", got.StatusCode, got.body)
	}
	if got := do(t, "GET", host+"/v2/demo/blobs/"+h.String()); got.body != string(data) {
		t.Errorf("read back %d bytes", len(got.body))
	}
	if got := do(t, "GET", host+"/v2/other/blobs/"+h.String()); got.StatusCode != 404 {
		t.Errorf("in another repository: %d", got.StatusCode)
	}
	if got := do(t, "GET", host+location); got.StatusCode != 404 {
		t.Errorf("the finished upload: %d", got.StatusCode)
	}
	if got := do(t, "POST", host+"/v2/other/blobs/uploads/?mount="+h.String()+"&from=demo"); got.StatusCode != 201 {
		t.Errorf("mounting: %d %s", got.StatusCode, got.body)
	}
	if got := do(t, "DELETE", host+"/v2/other/blobs/"+h.String()); got.StatusCode != 202 {
		t.Errorf("deleting: %d", got.StatusCode)
	}
}

// Of several concurrent requests that finish one upload, exactly one succeeds.
func TestUploadEndsOnce(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{})
	for i := range 20 {
		data := bytes.Repeat([]byte{byte(i)}, 1000)
		h := registrytest.Hash(data).String()
		location := do(t, "POST", host+"/v2/demo/blobs/uploads/").Header.Get("Location")
		if got := do(t, "PATCH", host+location, withBody(octets, data)); got.StatusCode != 202 {
			t.Fatalf("%d %s", got.StatusCode, got.body)
		}
		var requests sync.WaitGroup
		var created atomic.Int64
		for range 4 {
			requests.Go(func() {
				if got := do(t, "PUT", host+location+"?digest="+h); got.StatusCode == 201 {
					created.Add(1)
				} else if got.StatusCode != 404 {
					t.Errorf("%d %s", got.StatusCode, got.body)
				}
			})
		}
		requests.Wait()
		if got := do(t, "GET", host+"/v2/demo/blobs/"+h); created.Load() != 1 || got.body != string(data) {
			t.Errorf("%d requests succeeded, %d bytes", created.Load(), len(got.body))
		}
	}
}

// Uploads that are cancelled, too large or have a wrong digest leave no files.
func TestFailedUploadsAreRemoved(t *testing.T) {
	t.Parallel()
	s, host := startWritable(t, serve.Options{MaxBlob: 10})
	start := func() string { return do(t, "POST", host+"/v2/demo/blobs/uploads/").Header.Get("Location") }
	cancelled, wrong, long := start(), start(), start()
	for _, tt := range []struct {
		method, url string
		body        []byte
		status      int
	}{
		{"PATCH", cancelled, []byte("abc"), 202},
		{"DELETE", cancelled, nil, 204},
		{"PATCH", wrong, []byte("abc"), 202},
		{"PUT", wrong + "?digest=" + registrytest.Hash([]byte("abd")).String(), nil, 400},
		{"PATCH", long, []byte("0123456789"), 202},
		{"PATCH", long, []byte("0"), 413},
	} {
		// No Content-Length, so that the server must count.
		got := do(t, tt.method, host+tt.url,
			func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(tt.body)), -1 })
		if got.StatusCode != tt.status {
			t.Errorf("%s %s: %d %s, want %d", tt.method, tt.url, got.StatusCode, got.body, tt.status)
		}
	}
	if left := stagedFiles(t, s); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// A client that stops sending is disconnected. The bytes that arrived are kept for its next attempt.
func TestStalledUpload(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{Patience: time.Second})
	location := do(t, "POST", host+"/v2/demo/blobs/uploads/").Header.Get("Location")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc", location)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute)) // far beyond the server's patience
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatalf("the connection is still open: %v", err)
	}
	if got := do(t, "GET", host+location); got.Header.Get("Range") != "0-2" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
}

func TestReferrers(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{})
	subject := pushImage(t, host, "demo", "v1")
	config := upload(t, host, "demo", []byte("{}"))
	put := func(artifactType string) string {
		body, err := json.Marshal(map[string]any{
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": artifactType,
			"config": v1.Descriptor{MediaType: "application/vnd.example.config", Digest: config, Size: 2}, "layers": []any{},
			"subject": subject.Manifest.Descriptor(), "annotations": map[string]string{"for": artifactType},
		})
		if err != nil {
			t.Fatal(err)
		}
		h := registrytest.Hash(body).String()
		got := do(t, "PUT", host+"/v2/demo/manifests/"+h, withBody("application/vnd.oci.image.manifest.v1+json", body))
		if got.StatusCode != 201 || got.Header.Get("OCI-Subject") != subject.Digest().String() {
			t.Fatalf("%d %s %v", got.StatusCode, got.body, got.Header)
		}
		return h
	}
	signed, sbom, plain := put("example/signature"), put("example/sbom"), put("")
	for filter, want := range map[string][]string{
		"": {signed, sbom, plain}, "?artifactType=example/sbom": {sbom},
		"?artifactType=application/vnd.example.config": {plain}, "?artifactType=none": {},
	} {
		got := do(t, "GET", host+"/v2/demo/referrers/"+subject.Digest().String()+filter)
		var list v1.IndexManifest
		if err := json.Unmarshal([]byte(got.body), &list); err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, row := range list.Manifests {
			have = append(have, row.Digest.String())
			if row.Digest.String() == sbom && (row.ArtifactType != "example/sbom" || row.Annotations["for"] != "example/sbom") {
				t.Errorf("row %+v", row)
			}
		}
		slices.Sort(want)
		if !slices.Equal(have, want) || (filter != "") != (got.Header.Get("OCI-Filters-Applied") == "artifactType") {
			t.Errorf("%s: %q %v, want %q", filter, have, got.Header, want)
		}
	}
}

func TestConditionalTags(t *testing.T) {
	t.Parallel()
	_, host := startWritable(t, serve.Options{})
	demo := pushImage(t, host, "demo", "v1")
	for _, tt := range []struct {
		tag, header, value string
		status             int
	}{
		{"v1", "If-None-Match", "*", 412},
		{"v2", "If-None-Match", "*", 201},
		{"v1", "If-Match", `"` + demo.Digest().String() + `"`, 201},
		{"v1", "If-Match", `"sha256:` + strings.Repeat("0", 64) + `"`, 412},
		{"v9", "If-Match", "*", 412},
	} {
		got := do(t, "PUT", host+"/v2/demo/manifests/"+tt.tag, withBody(string(demo.Manifest.MediaType), demo.Manifest.Body),
			func(r *http.Request) { r.Header.Set(tt.header, tt.value) })
		if got.StatusCode != tt.status {
			t.Errorf("%s, %s: %s: %d %s, want %d", tt.tag, tt.header, tt.value, got.StatusCode, got.body, tt.status)
		}
	}
}

// Garbage is collected while clients push. Afterwards everything that was pushed is complete.
func TestConcurrentPushAndCollect(t *testing.T) {
	t.Parallel()
	s, host := startWritable(t, serve.Options{})
	var pushes, collections sync.WaitGroup
	ended := make(chan struct{})
	collections.Go(func() {
		for other := store.Open(s.Dir()); ; {
			select {
			case <-ended:
				return
			default:
				if _, err := other.Collect(t.Context()); err != nil {
					t.Errorf("collecting: %v", err)
				}
			}
		}
	})
	const clients, images = 4, 5
	for i := range clients {
		pushes.Go(func() {
			for j := range images {
				b := image(fmt.Sprint(i, j))
				if err := b.Push(t.Context(), client(t, fmt.Sprintf("%s/team/demo%d", host, i%2)),
					fmt.Sprintf("v%d-%d", i, j)); err != nil {
					t.Errorf("pushing: %v", err)
				}
			}
		})
	}
	pushes.Wait()
	close(ended)
	collections.Wait()
	if _, err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); len(got) != clients*images {
		t.Errorf("%d names: %q", len(got), got)
	}
	for i := range clients {
		for j := range images {
			for h, data := range image(fmt.Sprint(i, j)).Blobs {
				if got, err := os.ReadFile(filepath.Join(s.Dir(), "blobs/sha256", h.Hex)); err != nil || !bytes.Equal(got, data) {
					t.Errorf("blob %s: %d bytes, %v", h, len(got), err)
				}
			}
		}
	}
	if left := stagedFiles(t, s); len(left) > 0 {
		t.Errorf("files of uploads left: %q", left)
	}
}

func TestParseUsers(t *testing.T) {
	t.Parallel()
	const hash = "$2y$05$wSP.y.klxbMzRZKUiq7kDuVDU9okrwvA0t1mNtSV1C5yvBZMU/WUy" // htpasswd -nbB eve secret
	users, err := serve.ParseUsers([]byte("# who may push\n\nbob:se:cret\neve:" + hash + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, host := startWritable(t, serve.Options{Users: users})
	for _, tt := range []struct {
		user, password string
		status         int
	}{
		{"bob", "se:cret", 202},
		{"bob", "se", 401},
		{"eve", "secret", 202},
		{"eve", "secret", 202},
		{"eve", hash, 401},
		{"eve", "", 401},
		{"mallory", "", 401},
		{"", "", 401},
	} {
		got := do(t, "POST", host+"/v2/demo/blobs/uploads/", func(r *http.Request) { r.SetBasicAuth(tt.user, tt.password) })
		if got.StatusCode != tt.status {
			t.Errorf("%s:%s: %d, want %d", tt.user, tt.password, got.StatusCode, tt.status)
		}
	}
	for text, want := range map[string]string{
		"":                            "no line has a user",
		"# none\n":                    "no line has a user",
		"bob\n":                       "line 1 is not NAME:PASSWORD",
		"bob:\n":                      "line 1 is not NAME:PASSWORD",
		"a:secret\na:other\n":         "line 2 names \"a\" again",
		"a:$apr1$xyz\n":               "not bcrypt's",
		"a:$2y$05$\n":                 "damaged bcrypt hash",
		strings.Repeat("secret", 1e5): "reading users",
	} {
		_, err := serve.ParseUsers([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
	if !errors.Is(func() error { _, err := serve.ParseUsers(nil); return err }(), registry.ErrUsage) {
		t.Error("no users: not a usage error")
	}
}
