package build

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	resolver "github.com/containerd/containerd/v2/core/remotes/docker"
	docker "github.com/containerd/containerd/v2/core/remotes/docker/auth"
	remotes "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/auth/authprovider"
	"google.golang.org/grpc"

	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
)

// credentials authenticates a worker that fetches base images. Passwords stay on this side if the registry issues
// tokens.
func credentials(o Options) session.Attachable {
	provider := authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: func(ctx context.Context, host string, scopes []string, _ authprovider.ExpireCachedAuthCheck) (
			types.AuthConfig, error,
		) {
			return lookUp(ctx, o.Credentials, host, scopes)
		},
	})
	server, ok := provider.(auth.AuthServer)
	if !ok {
		return provider
	}
	return tokens{server, o, tokenClient(false), tokenClient(true)}
}

func lookUp(ctx context.Context, c *login.Credentials, host string, scopes []string) (types.AuthConfig, error) {
	if c == nil {
		return types.AuthConfig{}, nil
	}
	if host == authprovider.DockerHubRegistryHost {
		host = "docker.io"
	}
	a, err := c.For(ctx, host, repository(scopes))
	if err != nil {
		return types.AuthConfig{}, fmt.Errorf("finding credentials of %q: %w", host, err)
	}
	return types.AuthConfig{
		ServerAddress: host, Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken,
		RegistryToken: a.RegistryToken,
	}, nil
}

// repository returns the repository of the first scope: "library/demo" of "repository:library/demo:pull".
// https://distribution.github.io/distribution/spec/auth/scope/
func repository(scopes []string) string {
	for _, s := range scopes {
		if rest, ok := strings.CutPrefix(s, "repository:"); ok {
			name, _, _ := strings.Cut(rest, ":")
			return name
		}
	}
	return ""
}

// tokenAttempts is how often a stalled or failing token server is tried: as often as the worker tries a registry.
const tokenAttempts = 5

const passwordBare = "it asks for the password without TLS"

// tokens fetches tokens as BuildKit does. In addition, it limits the wait for a token server, retries if that may
// help, and skips certificate checks only for the hosts that allow it.
type tokens struct {
	auth.AuthServer
	options            Options
	checked, unchecked *http.Client
}

// Register implements session.Attachable.
func (t tokens) Register(s *grpc.Server) { auth.RegisterAuthServer(s, t) }

// FetchToken fetches a token; that is so short that one limit covers all of it.
func (t tokens) FetchToken(ctx context.Context, r *auth.FetchTokenRequest) (*auth.FetchTokenResponse, error) {
	idle := cmp.Or(t.options.Registries.Idle, time.Minute)
	var answer *auth.FetchTokenResponse
	stalled := false
	again := func(err error) bool { return stalled || outOfOrder(err) }
	err := registry.Retry{First: 250 * time.Millisecond, Tries: tokenAttempts}.Do(ctx, again, func() (err error) {
		short, cancel := ctx, context.CancelFunc(func() {})
		if idle > 0 {
			short, cancel = context.WithTimeout(ctx, idle)
		}
		defer cancel()
		answer, err = t.fetch(short, r)
		stalled = short.Err() != nil && ctx.Err() == nil
		switch {
		case err == nil:
			return nil
		case stalled:
			return fmt.Errorf("asking %q for a token: nothing moved for %s", r.Realm, idle)
		}
		return fmt.Errorf("asking %q for a token: %w", r.Realm, err)
	})
	return answer, err
}

// outOfOrder reports whether another attempt may succeed.
func outOfOrder(err error) bool {
	status, ok := errors.AsType[remotes.ErrUnexpectedStatus](err)
	return remote.ConnectionLost(err) ||
		ok && (status.StatusCode >= 500 || status.StatusCode == http.StatusRequestTimeout ||
			status.StatusCode == http.StatusTooManyRequests)
}

// tokenClient returns a client that, if unchecked, accepts every certificate. BuildKit's setting for that also
// changes the client that it uses for every other registry.
func tokenClient(unchecked bool) *http.Client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 15 * time.Second, DisableKeepAlives: true}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: unchecked} //nolint:gosec // the user asks for it
	return &http.Client{Transport: limitAnswer{t}, CheckRedirect: keepPassword}
}

// keepPassword refuses to follow a redirect with a password to another server.
func keepPassword(r *http.Request, via []*http.Request) error {
	const most = 10
	first := via[0]
	switch {
	case len(via) >= most:
		return fmt.Errorf("stopped after %d redirects", most)
	case !remote.SameOrigin(r.URL, first.URL) &&
		(first.Method == http.MethodPost || first.Header.Get("Authorization") != ""):
		return fmt.Errorf("it redirects to %q, which the password is not for", r.URL.Host)
	}
	return nil
}

// limitAnswer cuts off an answer that is longer than any token.
type limitAnswer struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s limitAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	const most = 1 << 20
	answer, err := s.next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, most), answer.Body}
	}
	return answer, err
}

// withoutTLS reports whether the token server is used without TLS although the registry has it.
func (t tokens) withoutTLS(r *auth.FetchTokenRequest) bool {
	realm, err := url.Parse(r.Realm)
	local, _ := resolver.MatchLocalhost(r.Host)
	return err == nil && realm.Scheme != "https" && !local && !listed(t.options.Registries.PlainHTTP, r.Host)
}

// listed reports whether host is among hosts, each of which may omit the port.
func listed(hosts []string, host string) bool {
	name, _, _ := strings.Cut(host, ":")
	return slices.Contains(hosts, host) || slices.Contains(hosts, name)
}

// fetch makes one attempt. It sends a login by POST first (OAuth 2), which some registries refuse.
func (t tokens) fetch(ctx context.Context, r *auth.FetchTokenRequest) (*auth.FetchTokenResponse, error) {
	login, err := lookUp(ctx, t.options.Credentials, r.Host, r.Scopes)
	if err != nil || login.RegistryToken != "" {
		return &auth.FetchTokenResponse{Token: login.RegistryToken, ExpiresIn: 60}, err
	}
	client := t.checked
	if listed(t.options.Registries.SkipVerify, r.Host) {
		client = t.unchecked
	}
	o := docker.TokenOptions{
		Realm: r.Realm, Service: r.Service, Scopes: r.Scopes, Username: login.Username,
		Secret: login.Password,
	}
	if login.IdentityToken != "" {
		o.Username, o.Secret = "", login.IdentityToken
	}
	if o.Secret != "" && t.withoutTLS(r) {
		return nil, fmt.Errorf("%w: %s", registry.ErrDenied, passwordBare)
	}
	if o.Secret != "" {
		answer, err := docker.FetchTokenWithOAuth(ctx, client, nil, "buildkit-client", o)
		if err == nil {
			return tokenAnswer(answer.AccessToken, answer.ExpiresInSeconds, answer.IssuedAt), nil
		}
		status, ok := errors.AsType[remotes.ErrUnexpectedStatus](err)
		if !ok || !slices.Contains([]int{http.StatusNotFound, http.StatusUnauthorized, http.StatusMethodNotAllowed},
			status.StatusCode) {
			return nil, err
		}
	}
	answer, err := docker.FetchToken(ctx, client, nil, o)
	if err != nil {
		return nil, err
	}
	return tokenAnswer(answer.Token, answer.ExpiresInSeconds, answer.IssuedAt), nil
}

// tokenAnswer uses the specification's 60 seconds if a token server sets no expiry.
func tokenAnswer(token string, seconds int, issued time.Time) *auth.FetchTokenResponse {
	a := &auth.FetchTokenResponse{Token: token, ExpiresIn: int64(cmp.Or(seconds, 60))}
	if !issued.IsZero() {
		a.IssuedAt = issued.Unix()
	}
	return a
}
