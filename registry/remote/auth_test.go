package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mtool/registry"
	"mtool/registry/login"
)

// tokenServer is a token server, and authenticates the requests of a fake. A token is the list of its scopes.
type tokenServer struct {
	*httptest.Server
	user, password string                         // required credentials, none if empty
	grant          func(scopes []string) []string // returns the granted scopes of those requested, nil to refuse
	expiresIn      int                            // seconds

	mu  sync.Mutex
	log []string // "METHOD user scopes" of each request
}

func newTokenServer(t *testing.T, f *fake) *tokenServer {
	t.Helper()
	s := &tokenServer{grant: func(scopes []string) []string { return scopes }, expiresIn: 300}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	f.before = s.guard
	return s
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	user, password, _ := r.BasicAuth()
	scopes := r.Form["scope"]
	if r.Method == http.MethodPost {
		user, password = "token", r.Form.Get("refresh_token")
		scopes = strings.Fields(r.Form.Get("scope"))
	}
	s.mu.Lock()
	s.log = append(s.log, strings.TrimSpace(r.Method+" "+user+" "+strings.Join(scopes, " ")))
	s.mu.Unlock()
	got := s.grant(scopes)
	if s.user != "" && (user != s.user || password != s.password) || got == nil || r.Form.Get("service") != "svc" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"details":"incorrect username or password"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": strings.Join(got, "|"), "expires_in": s.expiresIn})
}

// guard refuses requests of the fake that have no token for their repository and action.
func (s *tokenServer) guard(w http.ResponseWriter, r *http.Request) bool {
	repo, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/")
	action := "pull"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		action = "push"
	}
	for scope := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "|") {
		if parts := strings.Split(scope, ":"); len(parts) == 3 && parts[1] == repo && strings.Contains(parts[2], action) {
			return false
		}
	}
	w.Header().Set("WWW-Authenticate",
		fmt.Sprintf(`Bearer realm=%q,service="svc",scope="repository:%s:%s"`, s.URL+"/token", repo, action))
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	return true
}

func (s *tokenServer) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.log))
}

func TestOneTokenForAllScopes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := newTokenServer(t, f)
	c := newTestClient(Options{})
	source, target := c.Repository(f.ref(t, "a"), Pull), c.Repository(f.ref(t, "b"), PullPush)
	f.manifests["a:v1"] = []byte(imageJSON)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m, err := source.Resolve(t.Context(), f.ref(t, "a:v1"))
			if err == nil {
				err = target.PutManifest(t.Context(), m)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, want := s.requests(), []string{"GET  repository:a:pull repository:b:pull,push"}; !slices.Equal(got, want) {
		t.Errorf("token requests %q, want %q", got, want)
	}
}

func TestTokenPerRepositoryWhenRefused(t *testing.T) {
	t.Parallel()
	one := func(scopes []string) []string {
		if len(scopes) > 1 {
			return nil
		}
		return scopes
	}
	first := func(scopes []string) []string { return scopes[:1] }
	for name, grant := range map[string]func([]string) []string{"token server refuses": one, "token grants less": first} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			s := newTokenServer(t, f)
			s.grant = grant
			c := newTestClient(Options{})
			a, b := c.Repository(f.ref(t, "a"), Pull), c.Repository(f.ref(t, "b"), Pull)
			f.manifests["a:v1"], f.manifests["b:v1"] = []byte(imageJSON), []byte(imageJSON)
			for range 2 {
				if _, err := a.Resolve(t.Context(), f.ref(t, "a:v1")); err != nil {
					t.Fatal(err)
				}
				if _, err := b.Resolve(t.Context(), f.ref(t, "b:v1")); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.requests(); len(got) > 3 || !slices.Contains(got, "GET  repository:b:pull") {
				t.Errorf("token requests %q, want one for both repositories and at most one for each", got)
			}
		})
	}
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := newTokenServer(t, f)
	s.expiresIn = -1 // not sent, so 60 seconds by the specification
	f.manifests["a:v1"] = []byte(imageJSON)
	r := f.open(t, "a", Pull)
	resolve := func() {
		t.Helper()
		if _, err := r.Resolve(t.Context(), f.ref(t, "a:v1")); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	resolve()
	got := time.Now()
	resolve()
	if n := len(s.requests()); n != 1 {
		t.Fatalf("%d token requests, want 1", n)
	}
	token := r.host.session.tokens[0]
	if token.expires.Before(start.Add(50*time.Second)) || token.expires.After(got.Add(55*time.Second)) {
		t.Errorf("a token without expires_in expires in %s, want a bit less than a minute", token.expires.Sub(got))
	}
	token.expires = time.Now()
	resolve()
	if n := len(s.requests()); n != 2 {
		t.Errorf("%d token requests, want a second one after the first expired", n)
	}
	r.host.session.tokens[1].value = "revoked"
	resolve()
	if n := len(s.requests()); n != 3 {
		t.Errorf("%d token requests, want a third one after the second was refused", n)
	}
}

// A new token that is refused may have been revoked, or its clock may be ahead of the registry's. One more token is
// requested, once.
func TestNewTokenRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refused, requests int
		want              error
	}{"once": {1, 2, nil}, "always": {100, 2, registry.ErrDenied}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			s := newTokenServer(t, f)
			f.manifests["a:v1"] = []byte(imageJSON)
			refused := 0
			s.grant = func(scopes []string) []string {
				if refused++; refused <= tt.refused {
					return []string{"nothing"}
				}
				return scopes
			}
			_, err := f.open(t, "a", Pull).Resolve(t.Context(), f.ref(t, "a:v1"))
			if !errors.Is(err, tt.want) || len(s.requests()) != tt.requests {
				t.Errorf("got %v after %d token requests, want %v after %d", err, len(s.requests()), tt.want, tt.requests)
			}
		})
	}
}

func TestDeniedErrors(t *testing.T) {
	t.Parallel()
	identity := func(f *fake, token string) *login.Credentials {
		return parseCredentials(`{"auths":{"` + f.host() + `":{"identitytoken":"` + token + `"}}}`)
	}
	tests := map[string]struct {
		credentials func(*fake) *login.Credentials
		words       string // of the error, "" for none
		reason      Reason
	}{
		"right": {func(f *fake) *login.Credentials { return credentialsFor(f.host(), "bob", "right-pw") }, "", NoReason},
		"wrong": {
			func(f *fake) *login.Credentials { return credentialsFor(f.host(), "bob", "wrong-pw") },
			`(logged in as "bob" by file)`, WrongLogin,
		},
		"none": {func(*fake) *login.Credentials { return nil }, "(no credentials for 127.0.0.1", NoLogin},
		"store missing": {
			func(*fake) *login.Credentials { return parseCredentials(`{"credsStore":"none-such"}`) },
			"in file; credential helper docker-credential-none-such is not in PATH (named in file for 127.0.0.1", NoReason,
		},
		"store missing, login elsewhere": {
			func(f *fake) *login.Credentials {
				return parseCredentials(`{"credsStore":"none-such","auths":{"` + f.host() + `":{"username":"bob","password":"wrong-pw"}}}`)
			},
			`(logged in as "bob" by file; credential helper docker-credential-none-such is not in PATH`, NoReason,
		},
		"helper missing": {
			func(f *fake) *login.Credentials {
				return parseCredentials(`{"credHelpers":{"` + f.host() + `":"none-such"}}`)
			},
			"denied: credential helper docker-credential-none-such is not in PATH (named in file for 127.0.0.1", NoReason,
		},
		"identity wrong": {
			func(f *fake) *login.Credentials { return identity(f, "wrong-pw") },
			"(logged in with a token of file)", WrongLogin,
		},
	}
	for name, tt := range tests {
		for _, scheme := range []string{"basic", "bearer"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				t.Parallel()
				f := newFake(t)
				f.manifests["a:v1"] = []byte(imageJSON)
				if s := newTokenServer(t, f); scheme == "bearer" {
					s.user, s.password = "bob", "right-pw"
				} else {
					f.before = wantBasic("bob", "right-pw")
				}
				c := newTestClient(Options{Credentials: tt.credentials(f)})
				_, err := c.Repository(f.ref(t, "a"), Pull).Resolve(t.Context(), f.ref(t, "a:v1"))
				if tt.words == "" {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if name == "identity wrong" && scheme == "basic" {
					tt.words = "(" // Basic authentication can't use an identity token
				}
				e, ok := errors.AsType[*Error](err)
				if !ok || !errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), tt.words) || e.Reason != tt.reason ||
					strings.Contains(tt.words, "PATH") && e.Hint() != "install docker-credential-none-such, or take it out of file" {
					t.Errorf("got error %#v; want %q, %d", err, tt.words, tt.reason)
				}
				if strings.Contains(err.Error(), "-pw") {
					t.Errorf("error %v contains a secret", err)
				}
			})
		}
	}
}

func wantBasic(user, password string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		u, p, _ := r.BasicAuth()
		if u == user && p == password {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return true
	}
}

func TestIdentityToken(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := newTokenServer(t, f)
	s.user, s.password = "token", "refresh-me"
	f.manifests["a:v1"] = []byte(imageJSON)
	c := parseCredentials(`{"auths":{"` + f.host() + `":{"identitytoken":"refresh-me"}}}`)
	r := newTestClient(Options{Credentials: c}).Repository(f.ref(t, "a"), Pull)
	if _, err := r.Resolve(t.Context(), f.ref(t, "a:v1")); err != nil {
		t.Fatal(err)
	}
	if got, want := s.requests(), []string{"POST token repository:a:pull"}; !slices.Equal(got, want) {
		t.Errorf("token requests %q, want %q", got, want)
	}
}

// Repositories with different credentials do not share a token.
func TestTokensPerLogin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := newTokenServer(t, f)
	c := parseCredentials(fmt.Sprintf(`{"auths":{%q:{"auth":%q},%q:{"auth":%q}}}`,
		f.host(), encoded("host", "p"), f.host()+"/b", encoded("b", "p")))
	client := newTestClient(Options{Credentials: c})
	f.manifests["a:v1"], f.manifests["b:v1"] = []byte(imageJSON), []byte(imageJSON)
	for _, name := range []string{"a", "b"} {
		client.Repository(f.ref(t, name), Pull)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := client.Repository(f.ref(t, name), Pull).Resolve(t.Context(), f.ref(t, name+":v1")); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.requests(), []string{
		"GET b repository:b:pull",
		"GET host repository:a:pull",
	}; !slices.Equal(got, want) {
		t.Errorf("token requests %q, want %q", got, want)
	}
}

func TestPasswordNotSentWithoutTLS(t *testing.T) {
	t.Parallel()
	h := newHost(newTestClient(Options{}), "r.example")
	q := request{
		doing: "reading manifest",
		ref:   registry.Ref{Transport: registry.TransportRegistry, Host: "r.example", Repo: "x"},
	}
	ch := challenge{bearer: true, realm: "http://tokens.example/token"}
	_, err := h.fetchToken(t.Context(), q, ch, login.Auth{Username: "bob", Password: "pw"},
		wanted{scopes: scopes{"x": Pull}})
	if !errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), "without TLS") {
		t.Errorf("got error %v, want ErrDenied", err)
	}
}

func TestParseChallenge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lines []string
		want  challenge
		ok    bool
	}{
		{nil, challenge{}, false},
		{[]string{`Negotiate`}, challenge{}, false},
		{[]string{`Bearer service="x"`}, challenge{}, false},
		{[]string{`Basic realm="a, b"`}, challenge{realm: "a, b"}, true},
		{[]string{`basic`}, challenge{}, true},
		{
			[]string{`bearer realm="https://t/token?a=b",service="s",scope="repository:x:pull,push"`},
			challenge{true, "https://t/token?a=b", "s", "repository:x:pull,push"},
			true,
		},
		{[]string{`Basic realm="x", Bearer realm="https://t", service=s`}, challenge{true, "https://t", "s", ""}, true},
		{[]string{`Basic realm="x"`, `Bearer realm="https://t"`}, challenge{bearer: true, realm: "https://t"}, true},
		{[]string{`Bearer realm="q\"t"`}, challenge{bearer: true, realm: `q"t`}, true},
	}
	for _, tt := range tests {
		if got, ok := parseChallenge(http.Header{"Www-Authenticate": tt.lines}); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %+v, %t; want %+v, %t", tt.lines, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParseToken(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"token":"a"}`: "a", `{"access_token":"b","expires_in":3600.5}`: "b", `{}`: "", `secret`: "",
		`{"token":"a\r\nX: y"}`: "",
	} {
		got, err := parseToken([]byte(body), time.Now())
		if (err == nil) != (want != "") || err == nil && got.value != want ||
			err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %+v, %v; want %q", body, got, err, want)
		}
	}
}
