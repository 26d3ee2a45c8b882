package remote

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mtool/registry"
)

// Headers set by the user are sent to their host and its token server, and not to the host of a redirect.
func TestHeadersAreNotRedirected(t *testing.T) {
	t.Parallel()
	body := []byte("layer")
	var leaked string
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = r.Header.Get("X-Tenant") + r.Header.Get("Authorization")
		_, _ = w.Write(body)
	}))
	t.Cleanup(storage.Close)
	f := newFake(t)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/token":
			_, _ = w.Write([]byte(`{"token":"t"}`))
		case r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+f.host()+`/token",service="x"`)
			refuse(w, 401, "UNAUTHORIZED", "log in")
		default:
			http.Redirect(w, r, storage.URL+"/blob", http.StatusTemporaryRedirect)
		}
		return true
	}
	c := newTestClient(
		Options{Settings: Settings{
			Hosts: map[string]HostSettings{"127.0.0.1": {Headers: map[string]string{"X-Tenant": "blue"}}},
		}})
	got, err := read(t.Context(), c.Repository(f.ref(t, "demo"), Pull), describe(body))
	if err != nil || string(got) != "layer" {
		t.Fatalf("got %q, %v", got, err)
	}
	if len(f.seen) != 3 {
		t.Errorf("%d requests, want 3: %q", len(f.seen), f.log)
	}
	for i, h := range f.seen {
		if h.Get("X-Tenant") != "blue" {
			t.Errorf("%s was sent without the header", f.log[i])
		}
	}
	if leaked != "" {
		t.Errorf("the storage was sent %q", leaked)
	}
}

func TestAllowedHeader(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"X-Tenant": true, "Cf-Access-Client-Id": true, "authorization": false, "host": false, "range": false, "": false,
		"a b": false,
	} {
		if got := AllowedHeader(name, "x"); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
	if AllowedHeader("X-Tenant", "a\r\nB: c") {
		t.Error("a value with a line break was accepted")
	}
}

// The setting resolve gives the address of a name, with or without a port.
func TestResolveSetting(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	body := []byte("layer")
	d := f.add("demo", body)
	_, port, err := net.SplitHostPort(f.host())
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"registry.invalid": f.host(), "registry.invalid:" + port: "127.0.0.1"} {
		for resolve, reached := range map[string]bool{to: true, "": false} {
			c := newTestClient(Options{
				Settings: Settings{PlainHTTP: []string{name}, Hosts: map[string]HostSettings{name: {Resolve: resolve}}},
				Attempts: 1,
			})
			ref, err := registry.ParseRef(name + "/demo:v1")
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t.Context(), c.Repository(ref, Pull), d)
			if reached && (err != nil || string(got) != "layer") || !reached && !errors.Is(err, registry.ErrUnavailable) {
				t.Errorf("%s at %q: got %q, %v", name, resolve, got, err)
			}
		}
	}
}

// Requests to a host with a rate are sent one after another.
func TestRate(t *testing.T) {
	t.Parallel()
	p := &pace{every: 20 * time.Millisecond}
	start := time.Now()
	done := make(chan error)
	for range 6 {
		go func() { done <- p.wait(t.Context()) }()
	}
	for range 6 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(start); took < 100*time.Millisecond {
		t.Errorf("six requests at intervals of 20ms took %s", took)
	}
	h := newHost(newTestClient(Options{Settings: Settings{Hosts: map[string]HostSettings{"a.example": {Rate: 50}}}}),
		"a.example")
	if h.pace == nil || h.pace.every != 20*time.Millisecond {
		t.Errorf("a rate of 50: got %+v", h.pace)
	}
}
