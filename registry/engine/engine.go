package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Engine is a Docker Engine. It is safe for use from several goroutines.
type Engine struct {
	api *client.Client
	at  endpoint
}

// Open finds the engine that the docker command of this environment would use (DOCKER_HOST, DOCKER_CONTEXT, docker's
// config.json; TLS as these say; ssh:// by the ssh command). It opens no connection. The caller closes it.
func Open() (*Engine, error) { return open(os.Getenv) }

func open(getenv func(string) string) (*Engine, error) {
	at, err := find(getenv)
	if err != nil {
		return nil, fmt.Errorf("finding Docker Engine: %w", err)
	}
	options, err := at.options()
	if err != nil {
		return nil, fmt.Errorf("connecting to Docker Engine at %s (by %s): %w", at.host, at.from, err)
	}
	api, err := client.NewClientWithOpts(append(options, client.WithAPIVersionNegotiation())...)
	if err != nil {
		return nil, fmt.Errorf("connecting to Docker Engine at %s (by %s): %w: %w", at.host, at.from, registry.ErrName, err)
	}
	return &Engine{api: api, at: at}, nil
}

// Close closes idle connections.
func (e *Engine) Close() error { return e.api.Close() }

func (at endpoint) options() ([]client.Opt, error) {
	if strings.HasPrefix(at.host, "ssh://") {
		helper, err := connhelper.GetConnectionHelper(at.host)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", registry.ErrName, err)
		}
		return []client.Opt{client.WithHost(helper.Host), client.WithDialContext(helper.Dialer)}, nil
	}
	if at.tlsDir == "" || strings.HasPrefix(at.host, "unix://") {
		return []client.Opt{client.WithHost(at.host)}, nil
	}
	config, err := at.tls()
	if err != nil {
		return nil, err
	}
	// WithHost comes second: it sets up the dialer of the transport that it finds.
	return []client.Opt{
		client.WithHTTPClient(&http.Client{
			Transport:     &http.Transport{TLSClientConfig: config},
			CheckRedirect: client.CheckRedirect,
		}),
		client.WithHost(at.host),
	}, nil
}

func (at endpoint) tls() (*tls.Config, error) {
	o := tlsconfig.Options{ExclusiveRootPools: true, InsecureSkipVerify: at.skipVerify}
	for name, field := range map[string]*string{"ca.pem": &o.CAFile, "cert.pem": &o.CertFile, "key.pem": &o.KeyFile} {
		if path := filepath.Join(at.tlsDir, name); exists(path) {
			*field = path
		}
	}
	config, err := tlsconfig.Client(o)
	if err != nil {
		return nil, fmt.Errorf("reading its certificates in %q: %w: %w", at.tlsDir, registry.ErrDenied, err)
	}
	return config, nil
}

// Host returns its address, as in DOCKER_HOST.
func (e *Engine) Host() string { return e.at.host }

// Dial opens a connection to a service of the environment's engine, upgraded to proto: "/grpc" with "h2c" is the
// BuildKit in it, "/session" with "h2c" its way back to the client.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Session
func Dial(ctx context.Context, path, proto string, headers map[string][]string) (net.Conn, error) {
	e, err := Open()
	if err != nil {
		return nil, err
	}
	conn, err := e.Dial(ctx, path, proto, headers)
	return conn, errors.Join(err, e.Close())
}

// Dial opens a connection to a service of this engine; see the package's Dial.
func (e *Engine) Dial(ctx context.Context, path, proto string, headers map[string][]string) (net.Conn, error) {
	conn, err := e.api.DialHijack(ctx, path, proto, headers)
	if err != nil {
		return nil, e.failure(ctx, fmt.Sprintf("opening %q", path), err)
	}
	return conn, nil
}

// Platform returns the platform of the images that the engine runs.
func (e *Engine) Platform(ctx context.Context) (v1.Platform, error) {
	v, err := e.api.ServerVersion(ctx)
	if err != nil {
		return v1.Platform{}, e.failure(ctx, "asking for the platform", err)
	}
	return v1.Platform{OS: v.Os, Architecture: v.Arch}, nil
}

// failure turns the client's error into one of our kinds.
func (e *Engine) failure(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s at Docker Engine: %w", doing, context.Cause(ctx))
	}
	at := fmt.Sprintf("%s at Docker Engine, %s (by %s)", doing, e.at.host, e.at.from)
	switch {
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("%s: %w: %w", at, registry.ErrNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return registry.WithHint(
			fmt.Errorf("%s: %w: no permission to use its socket", at, registry.ErrDenied),
			"run as a member of the group docker, or name another engine in DOCKER_HOST",
		)
	case strings.HasPrefix(e.at.host, "ssh://") && client.IsErrConnectionFailed(err):
		return registry.WithHint( // the text has ssh's own message
			fmt.Errorf("%s: %w: %w", at, registry.ErrUnavailable, err),
			"this must work without a question: ssh "+e.at.host+" docker version",
		)
	case e.silent(err):
		return registry.WithHint(
			fmt.Errorf("%s: %w: no engine answers", at, registry.ErrUnavailable),
			"start Docker Engine, or name the one to use in DOCKER_HOST or DOCKER_CONTEXT",
		)
	case cerrdefs.IsUnauthorized(err), cerrdefs.IsPermissionDenied(err):
		return fmt.Errorf("%s: %w: %w", at, registry.ErrDenied, err)
	case cerrdefs.IsInvalidArgument(err), cerrdefs.IsNotImplemented(err), cerrdefs.IsConflict(err):
		return fmt.Errorf("%s: %w: %w", at, registry.ErrRefused, err)
	}
	return fmt.Errorf("%s: %w: %w", at, registry.ErrUnavailable, err)
}

// silent reports whether nothing listens there. The client's own error does not name the socket.
func (e *Engine) silent(err error) bool {
	return client.IsErrConnectionFailed(err) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
