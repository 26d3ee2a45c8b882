package buildkit

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/auth/authprovider"
	"google.golang.org/grpc"

	"mtool/build"
	"mtool/registry"
)

// credentials answers a worker that fetches base images. Passwords stay on this side where the registry gives tokens.
func credentials(o build.Options) session.Attachable {
	tls := map[string]*authprovider.AuthTLSConfig{}
	for _, host := range o.SkipVerify {
		tls[host] = &authprovider.AuthTLSConfig{Insecure: true}
	}
	provider := authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		TLSConfigs: tls,
		AuthConfigProvider: func(ctx context.Context, host string, scopes []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
			return lookUp(ctx, o.Credentials, host, scopes)
		},
	})
	idle := cmp.Or(o.Registries.Idle, time.Minute)
	if server, ok := provider.(auth.AuthServer); ok && idle > 0 {
		return tokens{server, idle}
	}
	return provider
}

// tokenAttempts is how often a token server is asked that stands still: as often as the worker asks a registry.
const tokenAttempts = 5

// tokens has an end to the wait for a token server, which BuildKit has not.
type tokens struct {
	auth.AuthServer
	idle time.Duration
}

// Register implements session.Attachable.
func (t tokens) Register(s *grpc.Server) { auth.RegisterAuthServer(s, t) }

// FetchToken gets one; it is so short that the limit is for all of it.
func (t tokens) FetchToken(ctx context.Context, r *auth.FetchTokenRequest) (*auth.FetchTokenResponse, error) {
	for range tokenAttempts {
		short, cancel := context.WithTimeout(ctx, t.idle)
		answer, err := t.AuthServer.FetchToken(short, r)
		stalled := short.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !stalled {
			return answer, err
		}
	}
	return nil, fmt.Errorf("asking %q for a token: nothing moved for %s, the limit of --idle-timeout", r.Realm, t.idle)
}

func lookUp(ctx context.Context, c *registry.Credentials, host string, scopes []string) (types.AuthConfig, error) {
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
		ServerAddress: host, Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
	}, nil
}

// repository is what the first scope is about: "library/demo" of "repository:library/demo:pull".
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
