package build

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/buildkit/session/auth/authprovider"

	"mtool/registry/login"
)

// credentials answers a worker that fetches base images. Passwords stay on this side where the registry gives tokens.
func credentials(o Options) session.Attachable {
	provider := authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: func(ctx context.Context, host string, scopes []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
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
