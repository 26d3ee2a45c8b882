package remote

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mtool/registry"
)

func newTLSFake(t *testing.T) *fake {
	t.Helper()
	f := unstartedFake()
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0) // no log of the expected handshake errors
	f.StartTLS()
	t.Cleanup(f.Close)
	f.manifests["demo:v1"] = []byte(imageJSON)
	return f
}

// resolveAs resolves demo:v1 of the host name, which the client's dialer connects to f.
func resolveAs(t *testing.T, f *fake, name string, o Options) error {
	t.Helper()
	c := newTestClient(o)
	dialTo(c, f.host())
	ref, err := registry.ParseRef(name + "/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Repository(ref, Pull).Resolve(t.Context(), ref)
	return err
}

func dialTo(c *Client, addr string) {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	base := c.http.Transport.(*trust).base
	base.DialContext, base.Proxy = dial, nil
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	plain, secure := newFake(t), newTLSFake(t)
	plain.manifests["demo:v1"] = []byte(imageJSON)
	tests := map[string]struct {
		f      *fake
		host   string // "" for the loopback address
		o      Options
		kind   error
		words  string
		reason Reason
		peer   string // part of the error's peer
	}{
		"loopback, plain": {plain, "", Options{}, nil, "", NoReason, ""},
		"loopback, TLS, not trusted": {
			secure, "",
			Options{},
			registry.ErrDenied, "certificate not trusted", Untrusted,
			"127.0.0.1",
		},
		"loopback, TLS, not verified": {
			secure, "",
			Options{Settings: Settings{SkipVerify: []string{"127.0.0.1"}}},
			nil, "",
			NoReason, "",
		},
		"loopback, TLS, set to plain": {
			secure, "",
			Options{Settings: Settings{PlainHTTP: []string{"127.0.0.1"}}},
			registry.ErrUnavailable, "speaks HTTPS", SpeaksTLS, "127.0.0.1",
		},
		"remote, plain": {
			plain, "r.example:5000",
			Options{},
			registry.ErrUnavailable, "speaks plain HTTP",
			PlainHTTP, "r.example:5000",
		},
		"remote, plain, set to plain": {
			plain, "r.example:5000",
			Options{Settings: Settings{PlainHTTP: []string{"r.example:5000"}}},
			nil, "", NoReason, "",
		},
		"remote, plain, other port": {
			plain, "r.example:5000",
			Options{Settings: Settings{PlainHTTP: []string{"r.example:5001"}}},
			registry.ErrUnavailable, "", PlainHTTP, "",
		},
		"remote, TLS, not trusted": {
			secure, "r.example",
			Options{},
			registry.ErrDenied, `issued by "O=Acme Co"`,
			Untrusted, "r.example",
		},
		"remote, TLS, not verified": {
			secure, "r.example",
			Options{Settings: Settings{SkipVerify: []string{"r.example"}}},
			nil, "", NoReason, "",
		},
		"remote, TLS, other host": {
			secure, "r.example",
			Options{Settings: Settings{SkipVerify: []string{"q.example"}}},
			registry.ErrDenied, "", Untrusted, "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := tt.host
			if host == "" {
				host = tt.f.host()
			}
			notes := 0
			tt.o.Note = func(string) { notes++ }
			err := resolveAs(t, tt.f, host, tt.o)
			if !errors.Is(err, tt.kind) || err != nil && !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got error %v, want %v with %q", err, tt.kind, tt.words)
			}
			var e *Error
			if errors.As(err, &e) != (tt.reason != NoReason) ||
				e != nil && (e.Reason != tt.reason || !strings.Contains(e.Peer, tt.peer)) {
				t.Errorf("got error %#v, want reason %d and %q", e, tt.reason, tt.peer)
			}
			if notes != 0 {
				t.Errorf("got %d retries, want none", notes)
			}
		})
	}
}

// A response to HEAD lacks the text by which a TLS port is detected.
func TestLoopbackTLSWithHead(t *testing.T) {
	t.Parallel()
	f := newTLSFake(t)
	c := newTestClient(Options{Settings: Settings{SkipVerify: []string{f.host()}}})
	body := []byte("layer")
	f.add("demo", body)
	if found := c.Repository(f.ref(t, "demo"), Pull).lookup(t.Context(), describe(body)); !found.there {
		t.Error(found.err)
	}
}

func TestBadRequestIsNotTLS(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		refuse(w, http.StatusBadRequest, "NAME_INVALID", "bad name")
		return true
	}
	r := f.open(t, "demo", Pull)
	if _, err := r.Resolve(t.Context(), f.ref(t, "demo:v1")); !errors.Is(err, registry.ErrRefused) ||
		!strings.Contains(err.Error(), "bad name") {
		t.Errorf("GET: got error %v, want ErrRefused with the registry's message", err)
	}
}

func TestNotListening(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	_ = l.Close()
	ref, err := registry.ParseRef(host + "/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = newTestClient(Options{}).Repository(ref, Pull).Resolve(t.Context(), ref)
	for _, want := range []string{host + "/demo:v1", "unavailable", "connection refused", "after 2 attempts"} {
		if !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want ErrUnavailable with %q", err, want)
		}
	}
}

// Requests wait for the first one of a host, so that only that is refused for lack of a token.
func TestFirstRequestIsSentAlone(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := newTokenServer(t, f)
	var refused atomic.Int32
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "" {
			refused.Add(1)
			time.Sleep(5 * time.Millisecond)
		}
		return s.guard(w, r)
	}
	f.manifests["demo:v1"] = []byte(imageJSON)
	c := newTestClient(Options{Settings: Settings{PlainHTTP: []string{"r.example"}}})
	// The token server keeps its address.
	c.http.Transport.(*trust).base.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "r.example:80" {
			addr = f.host()
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	ref, err := registry.ParseRef("r.example/demo:v1")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Repository(ref, Pull).Resolve(t.Context(), ref); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n != 1 {
		t.Errorf("got %d requests without a token, want 1", n)
	}
}

func TestConcurrencyIsLimited(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.manifests["demo:v1"] = []byte(imageJSON)
	var current, highest atomic.Int32
	f.before = func(http.ResponseWriter, *http.Request) bool {
		if n := current.Add(1); n > highest.Load() {
			highest.Store(n)
		}
		time.Sleep(2 * time.Millisecond)
		current.Add(-1)
		return false
	}
	c := newTestClient(Options{Concurrency: 3})
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			if _, err := c.Repository(f.ref(t, "demo"), Pull).Resolve(t.Context(), f.ref(t, "demo:v1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if highest.Load() > 3 || highest.Load() < 2 {
		t.Errorf("got %d concurrent requests, want 2 or 3", highest.Load())
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:1": true, "127.9.9.9": true, "[::1]:5000": true, "[::1]": true,
		"a.localhost": true, "docker.io": false, "10.0.0.1:5000": false, "localhost.example": false,
		"notlocalhost:5000": false, "not-localhost": false,
	} {
		if got := IsLoopback(name); got != want {
			t.Errorf("IsLoopback(%q) = %t", name, got)
		}
	}
	if got := newHost(newTestClient(Options{}), "docker.io").url("/v2/",
		""); got.String() != "https://registry-1.docker.io/v2/" {
		t.Errorf("got URL %s for Docker Hub", got)
	}
	a, b := &url.URL{Scheme: "https", Host: "R.example"}, &url.URL{Scheme: "https", Host: "r.example:443"}
	if !SameOrigin(a, b) || SameOrigin(a, &url.URL{Scheme: "http", Host: "r.example"}) {
		t.Error("SameOrigin is wrong")
	}
}
