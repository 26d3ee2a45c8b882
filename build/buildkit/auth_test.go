package buildkit

import (
	"net/http"
	"net/http/httptest"
	"strings"
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
