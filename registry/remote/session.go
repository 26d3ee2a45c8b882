package remote

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mtool/registry/login"
)

// session holds what one host has required and what it was given: the challenge of its first 401, which saves a
// request for /v2/, and the tokens.
type session struct {
	mu        sync.Mutex
	challenge *challenge
	announced scopes                   // of all repositories that were opened
	tokens    []*token                 // newest last
	split     bool                     // the token server refuses many repositories at once
	doubted   bool                     // a new token was refused, and another requested
	alone     map[string]string        // scopes that the common token did not open, and the scope that their 401 named
	fetching  map[string]chan struct{} // one token request at a time for the same scopes
	explained map[string]bool          // repositories whose credentials were explained
}

func newSession() *session {
	return &session{
		announced: scopes{}, alone: map[string]string{}, fetching: map[string]chan struct{}{},
		explained: map[string]bool{},
	}
}

func (s *session) announce(repo string, a Access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = s.announced.with(scopes{repo: a})
}

// challenged returns what the host requires; nil while that is not known.
func (s *session) challenged() *challenge {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.challenge
}

// grant is what one request was authorized with.
type grant struct {
	header string
	asked  bool       // the challenge was known
	auth   login.Auth // the credentials behind it
	token  *token     // nil for Basic and for registry tokens
	fresh  bool       // token was made for this request
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

// token is a bearer token and what it was requested for.
type token struct {
	value   string
	scopes  scopes
	auth    login.Auth
	expires time.Time
	good    atomic.Bool // it opened something already
}

func (t *token) valid(now time.Time) bool { return now.Before(t.expires) }

// wanted is what a token is requested for: scopes, and what else the challenge named.
type wanted struct {
	scopes scopes
	extra  string
}
