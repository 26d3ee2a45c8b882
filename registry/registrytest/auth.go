package registrytest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const tokenPath = "/token"

// grant has the actions that a token allows, by repository.
type grant map[string][]string

// authorized reports whether the request is allowed. If it is not, authorized has sent a 401.
// https://distribution.github.io/distribution/spec/auth/token/
func (s *Server) authorized(w http.ResponseWriter, r *http.Request, repo string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.granted(r, repo, actions(r.Method)...) {
		return true
	}
	if !s.options.Token {
		w.Header().Set("WWW-Authenticate", `Basic realm="registrytest"`)
	} else {
		w.Header().Set("WWW-Authenticate", s.challenge(r, repo))
	}
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	return false
}

func (s *Server) challenge(r *http.Request, repo string) string {
	scheme := "http"
	if s.options.TLS {
		scheme = "https"
	}
	c := fmt.Sprintf(`Bearer realm="%s://%s%s",service="registrytest"`, scheme, r.Host, tokenPath)
	if repo != "" {
		c += fmt.Sprintf(`,scope="repository:%s:%s"`, repo, strings.Join(actions(r.Method), ","))
	}
	return c
}

func actions(method string) []string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return []string{"pull"}
	case http.MethodDelete:
		return []string{"delete"}
	}
	return []string{"pull", "push"}
}

// granted reports whether the request's credentials allow these actions. The caller holds the lock.
func (s *Server) granted(r *http.Request, repo string, actions ...string) bool {
	if !s.options.Token {
		return s.options.Username == "" || s.hasPassword(r)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g, known := s.tokens[token]
	if !ok || !known {
		return false
	}
	if strings.Contains(r.URL.Path, "/uploads/") && r.Method == http.MethodDelete {
		// A client that may push may cancel its uploads.
		actions = []string{"push"}
	}
	if repo != "" && slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(g[repo], a) }) {
		return false
	}
	s.used[token] = true
	return true
}

// hasPassword reports whether the request has the right user and password.
func (s *Server) hasPassword(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return ok && user == s.options.Username && password == s.options.Password
}

// serveToken sends a token for the requested scopes: with all actions for users that log in, and with pull for others
// if AnonymousPull is set.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "UNKNOWN", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	scopes := requestedScopes(r)
	s.scopes = append(s.scopes, scopes)
	known, credentials := s.identify(r)
	if !known && (credentials || !s.options.AnonymousPull) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	if s.options.OneScope && len(scopes) > 1 {
		refuse(w, http.StatusBadRequest, "UNSUPPORTED", "one scope only")
		return
	}
	s.serial++
	token := fmt.Sprintf("token-%d", s.serial)
	s.tokens[token] = grantFor(scopes, known)
	respond(w, http.StatusOK, "application/json",
		encode(map[string]any{"token": token, "access_token": token, "expires_in": 300}))
}

// requestedScopes returns the requested scopes: a GET repeats the parameter, an OAuth2 POST separates them by spaces.
func requestedScopes(r *http.Request) []string {
	var scopes []string
	for _, value := range r.Form["scope"] {
		scopes = append(scopes, strings.Fields(value)...)
	}
	return scopes
}

// identify reports whether the request's credentials are right, and whether it has any.
func (s *Server) identify(r *http.Request) (known, credentials bool) {
	if refresh := r.Form.Get("refresh_token"); refresh != "" {
		return s.options.IdentityToken != "" && refresh == s.options.IdentityToken, true
	}
	if user := r.PostForm.Get("username"); user != "" {
		return user == s.options.Username && r.PostForm.Get("password") == s.options.Password, true
	}
	_, _, basic := r.BasicAuth()
	return s.hasPassword(r) || (s.options.Username == "" && s.options.IdentityToken == ""), basic
}

func grantFor(scopes []string, known bool) grant {
	g := grant{}
	for _, scope := range scopes {
		parts := strings.Split(scope, ":")
		if len(parts) != 3 || parts[0] != "repository" {
			continue
		}
		for action := range strings.SplitSeq(parts[2], ",") {
			if known || action == "pull" {
				g[parts[1]] = append(g[parts[1]], action)
			}
		}
	}
	return g
}
