package buildkit

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/session/auth"
	"golang.org/x/sync/errgroup"

	"mtool/build"
)

// A token server whose certificate nobody checks for one registry is checked for every other, in whatever order and even at
// one time.
func TestTokensOfUncheckedHost(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("service") != "s" || r.URL.Query().Get("scope") != "repository:a:pull" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(`{"token": "t", "expires_in": 300}`))
	}))
	defer s.Close()
	ask := func(host string) error {
		server, ok := credentials(build.Options{SkipVerify: []string{"a.example", "b.example:5000"}}).(auth.AuthServer)
		if !ok {
			t.Fatal("it answers no worker")
		}
		answer, err := server.FetchToken(t.Context(), &auth.FetchTokenRequest{Host: host, Realm: s.URL + "/token", Service: "s", Scopes: []string{"repository:a:pull"}})
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

// TestTokensAgain: a token server that is out of order is asked again, and one that stays so is told with its status.
func TestTokensAgain(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int32{http.StatusBadGateway: tokenAttempts, http.StatusRequestTimeout: tokenAttempts, http.StatusForbidden: 1} {
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
			server, ok := credentials(build.Options{}).(auth.AuthServer)
			if !ok {
				t.Fatal("it answers no worker")
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
