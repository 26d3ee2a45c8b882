package buildkit

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"mtool/build"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Dialer makes the connection to a worker.
type Dialer func(context.Context) (net.Conn, error)

// Connect makes a client of the worker at addr, or of the one that dial reaches when dial is not nil. It sends nothing yet.
//
// BuildKit's packages log through logrus's global logger. Its warnings are about what is as it should be (a file system
// without fs-verity), so this silences them.
func Connect(ctx context.Context, addr string, dial Dialer) (*client.Client, error) {
	logrus.SetLevel(logrus.ErrorLevel)
	if dial != nil {
		return client.New(ctx, "unix:///embedded", client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return dial(ctx)
		}))
	}
	u, err := url.Parse(addr)
	if err != nil || (u.Scheme != "unix" && u.Scheme != "tcp") || u.Host+u.Path == "" {
		return nil, fmt.Errorf("%w: worker %q is neither unix://PATH nor tcp://HOST:PORT", build.ErrUsage, addr)
	}
	return client.New(ctx, addr)
}

// patience is how long an external worker may take to answer the first question.
const patience = 10 * time.Second

// ask asks the external worker at addr what it runs; its own platform comes first.
func ask(ctx context.Context, c *client.Client, addr string) ([]v1.Platform, error) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	workers, err := c.ListWorkers(short)
	if err != nil {
		return nil, &silentError{addr: addr, err: err}
	}
	var all []v1.Platform
	for _, w := range workers {
		for _, p := range w.Platforms {
			all = append(all, fromSpec(p))
		}
	}
	if len(all) == 0 {
		return nil, &build.WorkerError{Doing: fmt.Sprintf("asking worker %q", addr), Err: fmt.Errorf("it runs no platform")}
	}
	return all, nil
}

// silentError is a worker that does not answer.
type silentError struct {
	addr string
	err  error
}

func (e *silentError) Error() string {
	return fmt.Sprintf("connecting to worker %q: %v", e.addr, e.err)
}
func (e *silentError) Unwrap() []error { return []error{registry.ErrUnavailable, e.err} }

// Hint is the next action.
func (e *silentError) Hint() string {
	return "is buildkitd running there? without --worker mtool starts a worker itself"
}

func fromSpec(p ocispecs.Platform) v1.Platform {
	return platform.Normalize(v1.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	})
}
