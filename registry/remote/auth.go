package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"mtool/registry"
	"mtool/registry/login"
)

// session holds what one host has required and what it was given: the challenge of its first 401, which saves a
// request for /v2/, and the tokens.
type session struct {
	host *host

	mu        sync.Mutex
	challenge *challenge
	announced scopes                   // of all repositories that were opened
	tokens    []*token                 // newest last
	split     bool                     // the token server refuses many repositories at once
	doubted   bool                     // a new token was refused, and another requested
	alone     map[string]string        // scopes that the common token did not open, and the scope that their 401 named
	fetching  map[string]chan struct{} // one token request at a time for the same scopes
	explained map[string]bool          // repositories whose credentials were told
}

func newSession(h *host) *session {
	return &session{
		host: h, announced: scopes{}, alone: map[string]string{}, fetching: map[string]chan struct{}{},
		explained: map[string]bool{},
	}
}

func (s *session) announce(repo string, a Access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = s.announced.with(scopes{repo: a})
}

// grant is what one request was authorized with.
type grant struct {
	header string
	asked  bool       // the challenge was known
	auth   login.Auth // the credentials behind it
	token  *token     // nil for Basic and for registry tokens
	fresh  bool       // token was made for this request
}

// authorize returns the Authorization header for q: none before the host has required one, and none for Basic without
// credentials.
func (s *session) authorize(ctx context.Context, q request) (grant, error) {
	s.mu.Lock()
	ch := s.challenge
	s.mu.Unlock()
	if ch == nil {
		return grant{}, nil
	}
	auth, err := s.credentials(ctx, q)
	if err != nil {
		return grant{}, err
	}
	g := grant{asked: true, auth: auth}
	switch {
	case ch.bearer && auth.RegistryToken != "":
		g.header = "Bearer " + auth.RegistryToken
	case ch.bearer:
		if g.token, g.fresh, err = s.token(ctx, q, *ch, auth); err != nil {
			return grant{}, err
		}
		g.header = "Bearer " + g.token.value
	case auth.Username != "":
		g.header = basic(auth)
	}
	return g, nil
}

// credentials returns those of the repository that q is about. A mount has a second repository, which must accept the
// same ones.
func (s *session) credentials(ctx context.Context, q request) (login.Auth, error) {
	_, waiting := registry.Begin(ctx, registry.Work{Doing: "looking up credentials", Name: s.host.name})
	auth, err := s.host.client.options.Credentials.For(ctx, s.host.name, q.ref.Repo)
	if waiting.End(registry.Present, err); err == nil {
		s.explainLogin(q.ref.Repo, auth)
		return auth, nil
	}
	e := s.host.failure(q)
	if ctx.Err() != nil {
		return login.Auth{}, e.interrupted(ctx)
	}
	e.Kind, e.Err, e.Message = registry.ErrDenied, err, registry.OneLine(err.Error())
	var h registry.Hinter
	if errors.As(err, &h) {
		e.hint = h.Hint()
	}
	return login.Auth{}, e
}

// explainLogin tells once for each repository whose credentials are used.
func (s *session) explainLogin(repo string, auth login.Auth) {
	s.mu.Lock()
	first := !s.explained[repo]
	s.explained[repo] = true
	s.mu.Unlock()
	if first {
		s.host.client.explain("credentials for %s/%s: %s", s.host.name, repo, auth.Who(s.host.name))
	}
}

// retryWith reports whether another token than g may be accepted where resp was refused, and remembers what resp says.
func (s *session) retryWith(resp *http.Response, need scopes, g grant) bool {
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, ok := parseChallenge(resp.Header)
	if resp.StatusCode == http.StatusUnauthorized {
		if !ok {
			return false
		}
		s.challenge = &ch
		if !g.asked {
			return true
		}
	}
	if g.token == nil {
		return false
	}
	s.drop(g.token, len(need))
	if len(g.token.scopes) > len(need) {
		// Some token servers omit scopes that they refuse, or can't combine with others.
		s.alone[need.String()] = ch.scope
		return true
	}
	switch {
	case resp.StatusCode == http.StatusForbidden:
		return false
	case !g.fresh, g.token.good.Load():
		return true
	}
	// A token that never opened anything won't do so now, unless it was revoked in between, or the registry's clock is
	// behind that of the token server.
	first := !s.doubted
	s.doubted = true
	return first
}

// drop forgets a refused token, unless it serves other repositories too.
func (s *session) drop(t *token, need int) {
	if len(t.scopes) == need {
		s.tokens = slices.DeleteFunc(s.tokens, func(have *token) bool { return have == t })
	}
}

// token returns the newest token that covers q, or requests a new one.
func (s *session) token(ctx context.Context, q request, ch challenge, auth login.Auth) (*token, bool, error) {
	key, unlock, err := s.lockScopes(ctx, q.scopes)
	if err != nil {
		return nil, false, s.host.failure(q).interrupted(ctx)
	}
	defer unlock()
	want, have := s.plan(ctx, q.scopes, auth, key != "")
	if have != nil {
		return have, false, nil
	}
	t, err := s.fetch(ctx, q, ch, auth, want)
	if errors.Is(err, registry.ErrDenied) && len(want.scopes) > len(q.scopes) {
		// Refused together: from now on one token for each repository.
		s.host.client.explain("the token server of %s refuses one token for all repositories: asking for one each",
			s.host.name)
		s.mu.Lock()
		s.split = true
		s.mu.Unlock()
		want.scopes = q.scopes
		t, err = s.fetch(ctx, q, ch, auth, want)
	}
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, t)
	return t, true, nil
}

// lockScopes makes requests that need the same token wait for one request: key is "" for the common token. Those that
// waited for a common token that was refused go on with their own.
func (s *session) lockScopes(ctx context.Context, need scopes) (key string, unlock func(), err error) {
	for {
		key, lock := s.lockFor(need)
		select {
		case lock <- struct{}{}:
		case <-ctx.Done():
			return "", nil, context.Cause(ctx)
		}
		if now, _ := s.lockFor(need); now == key {
			return key, func() { <-lock }, nil
		}
		<-lock
	}
}

func (s *session) lockFor(need scopes) (key string, lock chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, alone := s.alone[need.String()]; alone || s.split {
		key = need.String()
	}
	lock = s.fetching[key]
	if lock == nil {
		lock = make(chan struct{}, 1)
		s.fetching[key] = lock
	}
	return key, lock
}

// plan returns the existing token, or the scopes for a new one: everything announced that has the same credentials.
func (s *session) plan(ctx context.Context, need scopes, auth login.Auth, alone bool) (want wanted, have *token) {
	s.mu.Lock()
	want = wanted{scopes: need, extra: s.alone[need.String()]}
	announced := s.announced.with(need)
	for _, t := range slices.Backward(s.tokens) {
		exact := len(t.scopes) == len(need)
		if t.scopes.covers(need) && t.auth == auth && t.valid(time.Now()) && (!alone || exact) {
			s.mu.Unlock()
			return want, t
		}
	}
	s.mu.Unlock()
	if alone {
		return want, nil
	}
	for repo, access := range announced {
		other, err := s.host.client.options.Credentials.For(ctx, s.host.name, repo)
		if err == nil && other == auth {
			want.scopes = want.scopes.with(scopes{repo: access})
		}
	}
	return want, nil
}

func basic(a login.Auth) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Username+":"+a.Password))
}

// explain adds to e which credentials were refused, and where they came from.
func (g grant) explain(e *Error, host string) {
	if !g.asked {
		e.who = "it asked for no credentials"
		return
	}
	e.who, e.Peer = g.auth.Who(host), host
	switch {
	case g.auth.Missing != (login.MissingHelper{}):
		e.hint = g.auth.Missing.Hint()
	case g.auth.Anonymous():
		e.Reason = NoLogin
	default:
		e.Reason = WrongLogin
	}
}
