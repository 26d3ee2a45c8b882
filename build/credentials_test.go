package build

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/session/auth"
	"golang.org/x/sync/errgroup"

	"mtool/registry/login"
	"mtool/registry/remote"
)

// Skipping a token server's certificate for one registry does not skip it for others, in any order and in parallel.
func TestTokensOfUnverifiedHost(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("service") != "s" || r.URL.Query().Get("scope") != "repository:a:pull" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(`{"token": "t", "expires_in": 300}`))
	}))
	defer s.Close()
	ask := func(host string) error {
		server, ok := credentials(Options{Registries: remote.Settings{SkipVerify: []string{"a.example", "b.example:5000"}}}).(auth.AuthServer)
		if !ok {
			t.Fatal("the credentials are not an auth server")
		}
		answer, err := server.FetchToken(t.Context(),
			&auth.FetchTokenRequest{Host: host, Realm: s.URL + "/token", Service: "s", Scopes: []string{"repository:a:pull"}})
		if err == nil && (answer.Token != "t" || answer.ExpiresIn != 300) {
			t.Errorf("%s: got %v", host, answer)
		}
		return err
	}
	for range 2 {
		var all errgroup.Group
		for _, host := range []string{"a.example", "a.example:8443", "b.example:5000"} {
			all.Go(func() error { return ask(host) })
		}
		if err := all.Wait(); err != nil {
			t.Error(err)
		}
		for _, host := range []string{"b.example", "c.example"} {
			if err := ask(host); err == nil || !strings.Contains(err.Error(), "x509: ") {
				t.Errorf("%s: got error %v, want one about the certificate", host, err)
			}
		}
	}
}

// A token server that fails is asked again; the error for one that keeps failing has its status.
func TestTokenRetries(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int32{
		http.StatusBadGateway: tokenAttempts, http.StatusRequestTimeout: tokenAttempts,
		http.StatusForbidden: 1,
	} {
		for _, heals := range []bool{true, false} {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if n := asked.Add(1); n == 1 || !heals {
					w.WriteHeader(status)
					_, _ = w.Write([]byte(`{"errors": [{"code": "UNKNOWN"}]}`))
					return
				}
				_, _ = w.Write([]byte(`{"token": "t"}`))
			}))
			server, ok := credentials(Options{}).(auth.AuthServer)
			if !ok {
				t.Fatal("the credentials are not an auth server")
			}
			_, err := server.FetchToken(t.Context(), &auth.FetchTokenRequest{Host: "a.example", Realm: s.URL + "/token"})
			s.Close()
			switch {
			case heals && want > 1:
				if err != nil || asked.Load() != 2 {
					t.Errorf("%d once: %v after %d requests", status, err, asked.Load())
				}
			case err == nil || asked.Load() != want || !strings.Contains(err.Error(), strconv.Itoa(status)):
				t.Errorf("%d: %v after %d requests, want %d", status, err, asked.Load(), want)
			}
		}
	}
}

// A registry may name any token server. The password is not sent without TLS, with old TLS, or to the target of a
// redirect to another server. An endless answer is cut off.
func TestPasswordOfTokenServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(file, []byte(`{"auths": {"r.example": {"username": "anna", "password": "secret"}}}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REGISTRY_AUTH_FILE", file)
	credentials, err := login.Default()
	if err != nil {
		t.Fatal(err)
	}
	var stolen atomic.Int32
	answer := func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); ok && password == "secret" || r.PostFormValue("password") == "secret" {
			stolen.Add(1)
		}
		_, _ = w.Write([]byte(`{"token": "t", "access_token": "t"}`))
	}
	bare := httptest.NewServer(http.HandlerFunc(answer))
	quiet := log.New(io.Discard, "", 0)
	home, elsewhere, old := httptest.NewTLSServer(nil), httptest.NewTLSServer(http.HandlerFunc(answer)),
		httptest.NewUnstartedServer(http.HandlerFunc(answer))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = quiet
	old.StartTLS()
	home.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/bare":
			http.Redirect(w, r, bare.URL, http.StatusTemporaryRedirect)
		case "/long":
			_, _ = fmt.Fprintf(w, `{"token": "%s", "access_token": "t"}`, strings.Repeat("t", 2<<20))
		case "/again":
			answer(w, r)
		default:
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}
	})
	for _, c := range []struct {
		realm, want string // part of the error
		stolen      int32
		plain       []string
	}{
		{home.URL + "/token", "", 1, nil},
		{home.URL + "/redirect", "not for", 0, nil},
		{home.URL + "/bare", "not for", 0, nil},
		{home.URL + "/long", "unable to decode token response", 0, nil},
		{bare.URL, "without TLS", 0, nil},
		{bare.URL, "", 1, []string{"r.example"}},
		{old.URL, "protocol version", 0, nil},
	} {
		stolen.Store(0)
		o := Options{
			Credentials: credentials,
			Registries:  remote.Settings{SkipVerify: []string{"r.example"}, PlainHTTP: c.plain},
		}
		_, err := tokens{nil, o, tokenClient(false), tokenClient(true)}.fetch(t.Context(),
			&auth.FetchTokenRequest{Host: "r.example", Realm: c.realm, Service: "s"})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) ||
			stolen.Load() != c.stolen {
			t.Errorf("%s: got error %v, want %q; the password was seen %d times, want %d", c.realm, err, c.want,
				stolen.Load(), c.stolen)
		}
	}
	for _, s := range []*httptest.Server{bare, home, elsewhere, old} {
		s.Close()
	}
}

func TestRepositoryOfScope(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{
		"repository:library/demo:pull": "library/demo",
		"repository:a/b:pull,push":     "a/b", "registry:catalog:*": "", "": "",
	} {
		if got := repository([]string{scope}); got != want {
			t.Errorf("%q: got %q, want %q", scope, got, want)
		}
	}
}
