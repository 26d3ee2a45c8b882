package remote

import (
	"context"
	"errors"
	"slices"
	"time"

	"mtool/registry"
	"mtool/registry/login"
)

// authorize returns the Authorization header for q: none before the host has required one, and none for Basic without
// credentials.
func (h *host) authorize(ctx context.Context, q request) (grant, error) {
	ch := h.session.challenged()
	if ch == nil {
		return grant{}, nil
	}
	auth, err := h.credentials(ctx, q)
	if err != nil {
		return grant{}, err
	}
	g := grant{asked: true, auth: auth}
	switch {
	case ch.bearer && auth.RegistryToken != "":
		g.header = "Bearer " + auth.RegistryToken
	case ch.bearer:
		if g.token, g.fresh, err = h.token(ctx, q, *ch, auth); err != nil {
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
func (h *host) credentials(ctx context.Context, q request) (login.Auth, error) {
	_, waiting := registry.Begin(ctx, registry.Work{Doing: "looking up credentials", Name: h.name})
	auth, err := h.client.options.Credentials.For(ctx, h.name, q.ref.Repo)
	if waiting.End(registry.Present, err); err == nil {
		h.explainLogin(q.ref.Repo, auth)
		return auth, nil
	}
	e := h.failure(q)
	if ctx.Err() != nil {
		return login.Auth{}, e.interrupted(ctx)
	}
	e.Kind, e.Err, e.Message = registry.ErrDenied, err, registry.OneLine(err.Error())
	var hinter registry.Hinter
	if errors.As(err, &hinter) {
		e.hint = hinter.Hint()
	}
	return login.Auth{}, e
}

// explainLogin explains, once for each repository, whose credentials are used.
func (h *host) explainLogin(repo string, auth login.Auth) {
	h.session.mu.Lock()
	first := !h.session.explained[repo]
	h.session.explained[repo] = true
	h.session.mu.Unlock()
	if first {
		h.client.explain("credentials for %s/%s: %s", h.name, repo, auth.Who(h.name))
	}
}

// token returns the newest token that covers q, or requests a new one.
func (h *host) token(ctx context.Context, q request, ch challenge, auth login.Auth) (*token, bool, error) {
	s := h.session
	key, unlock, err := s.lockScopes(ctx, q.scopes)
	if err != nil {
		return nil, false, h.failure(q).interrupted(ctx)
	}
	defer unlock()
	want, have := h.findToken(ctx, q.scopes, auth, key != "")
	if have != nil {
		return have, false, nil
	}
	t, err := h.fetchToken(ctx, q, ch, auth, want)
	if errors.Is(err, registry.ErrDenied) && len(want.scopes) > len(q.scopes) {
		// Refused together: from now on one token for each repository.
		h.client.explain("the token server of %s refuses one token for all repositories: asking for one each", h.name)
		s.mu.Lock()
		s.split = true
		s.mu.Unlock()
		want.scopes = q.scopes
		t, err = h.fetchToken(ctx, q, ch, auth, want)
	}
	if err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, t)
	return t, true, nil
}

// findToken returns the existing token, or the scopes for a new one: everything announced that has the same
// credentials.
func (h *host) findToken(ctx context.Context, need scopes, auth login.Auth, alone bool) (want wanted, have *token) {
	s := h.session
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
		other, err := h.client.options.Credentials.For(ctx, h.name, repo)
		if err == nil && other == auth {
			want.scopes = want.scopes.with(scopes{repo: access})
		}
	}
	return want, nil
}
