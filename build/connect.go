package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer" // each adds a kind of address to client.New
	_ "github.com/moby/buildkit/client/connhelper/kubepod"
	_ "github.com/moby/buildkit/client/connhelper/podmancontainer"
	_ "github.com/moby/buildkit/client/connhelper/ssh"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"mtool/build/advice"
	"mtool/build/emulator"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/engine"
)

// connect returns a client of the worker at an address and asks which platforms it runs. Nothing is sent to the
// embedded worker, which is not started yet.
func connect(ctx context.Context, a WorkerAddr, tls WorkerTLS) (w *worker, err error) {
	w = &worker{WorkerAddr: a}
	switch {
	case w.embedded():
		w.host = emulator.Detect()
		return w, nil
	case a.Addr == DockerEngine: // the connection outlives ctx, which is for the first question
		w.client, w.engine, err = connectEngine(context.WithoutCancel(ctx))
	default:
		w.client, err = connectAddress(context.WithoutCancel(ctx), a.Addr, tls)
	}
	if err == nil {
		w.runnable, w.gateway, err = ask(ctx, w.client, a.Addr, a.Addr != DockerEngine && tls.Used())
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.host = hostOf(w.runnable)
	return w, nil
}

// connectEngine returns a client of the BuildKit in the Docker Engine that the docker command would use.
func connectEngine(ctx context.Context) (*client.Client, *engine.Engine, error) {
	e, err := engine.Open()
	if err != nil {
		return nil, nil, err
	}
	const proto = "h2c"
	c, err := client.New(ctx, "unix:///docker-engine",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return e.Dial(ctx, "/grpc", proto, nil)
		}),
		client.WithSessionDialer(engineSession(e)))
	if err != nil {
		return nil, nil, errors.Join(err, e.Close())
	}
	return c, e, nil
}

// connectAddress returns a client of the worker at addr. It sends nothing yet.
func connectAddress(ctx context.Context, addr string, tls WorkerTLS) (*client.Client, error) {
	logrus.SetLevel(logrus.ErrorLevel)
	opts, err := clientOptions(addr, tls)
	if err != nil {
		return nil, err
	}
	c, err := client.New(ctx, addr, opts...)
	if err != nil {
		return nil, fmt.Errorf("connecting to worker %q: %w", addr, err)
	}
	return c, nil
}

// schemes returns the schemes of addresses.
func schemes() []string {
	return []string{"unix", "tcp", "docker-container", "kube-pod", "podman-container", "ssh"}
}

func clientOptions(addr string, tls WorkerTLS) ([]client.ClientOpt, error) {
	u, err := url.Parse(addr)
	if err != nil || !slices.Contains(schemes(), u.Scheme) || u.Host+u.Path == "" {
		return nil, registry.Usagef("worker %q is not one of %s://…, %s, %s", addr, strings.Join(schemes(), "://…, "),
			DockerEngine, Embedded)
	}
	if u.Scheme != "tcp" || !tls.Used() {
		return nil, nil
	}
	for _, file := range []string{tls.CA, tls.Cert, tls.Key} {
		if _, err := os.Stat(file); file != "" && err != nil {
			return nil, registry.Usagef("reading the certificates for worker %q: %w", addr, err)
		}
	}
	if (tls.Cert == "") != (tls.Key == "") {
		return nil, registry.Usagef("a client certificate for worker %q takes both a certificate and its key", addr)
	}
	name := tls.ServerName
	if name == "" {
		name = u.Hostname()
	}
	opts := []client.ClientOpt{client.WithServerConfigSystem(name)}
	if tls.CA != "" {
		opts = []client.ClientOpt{client.WithServerConfig(name, tls.CA)}
	}
	if tls.Cert != "" {
		opts = append(opts, client.WithCredentials(tls.Cert, tls.Key))
	}
	return opts, nil
}

// patience is how long an external worker may take to answer the first question.
const patience = 10 * time.Second

// reconnect is a bit longer than the client waits before it connects again.
const reconnect = 1200 * time.Millisecond

// ask returns the platforms that the external worker at addr runs, its own first, and the address at which steps reach
// its machine, "" if it does not say. tls reports whether TLS is used.
func ask(ctx context.Context, c *client.Client, addr string, tls bool) (all []v1.Platform, gateway string, err error) {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var workers []*client.WorkerInfo
	// A worker that refuses the certificate says so and closes the connection, and a helper that can't reach it says why
	// and exits; whether that message is still read is chance. The client reconnects after a second. err is the last
	// message.
	_ = registry.Retry{First: reconnect, Longest: reconnect, Tries: 4}.Do(short, hungUp, func() error {
		workers, err = c.ListWorkers(short)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	if err != nil {
		return nil, "", newUnreachable(addr, tls, err)
	}
	for _, w := range workers {
		gateway = cmp.Or(gateway, w.Labels[gatewayLabel])
		for _, p := range w.Platforms {
			all = append(all, fromSpec(p))
		}
	}
	if len(all) == 0 {
		return nil, "", &WorkerError{Doing: fmt.Sprintf("asking worker %q", addr), Err: errors.New("it runs no platform")}
	}
	return all, gateway, nil
}

// hungUp reports whether a connection broke without a reason.
func hungUp(err error) bool {
	return strings.Contains(err.Error(), "broken pipe") || strings.Contains(err.Error(), "connection reset by peer")
}

func fromSpec(p ocispecs.Platform) v1.Platform {
	return platform.Normalize(v1.Platform{
		OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion, OSFeatures: p.OSFeatures,
	})
}

// unreachableError is a worker that does not answer, or whose answer is not a worker's.
type unreachableError struct {
	addr string
	err  error
	kind error
	why  string // as mtool words it; may be empty
	advice.Advice
}

// reason is what a message of gRPC or of Go's TLS means.
type reason struct {
	why    string
	advice advice.Advice
	kind   error
}

// closedAtOnce returns what a connection that is closed at once means. With TLS 1.3 a server refuses the client's
// certificate after the handshake, and its alert may be lost on the way.
func closedAtOnce(addr string, tls bool) reason {
	if scheme, _, ok := strings.Cut(addr, "://"); ok && scheme != "tcp" && scheme != "unix" {
		return reason{"the program that reaches it ended at once", advice.Say(reachedBy), registry.ErrUnavailable}
	}
	files := advice.Of(advice.Certificates)
	if tls {
		return reason{"it closed the connection, as a worker does when it refuses the client certificate", files, registry.ErrDenied}
	}
	return reason{"it closed the connection at once: it requires TLS, or is not BuildKit", files, registry.ErrUnavailable}
}

// newUnreachable finds out what is wrong from the messages of gRPC and Go's TLS, which carry no type. tls reports
// whether TLS was used.
func newUnreachable(addr string, tls bool, err error) error {
	e := &unreachableError{addr: addr, err: err, kind: registry.ErrUnavailable, Advice: advice.Of(advice.NoneRunning)}
	for _, row := range reasons(closedAtOnce(addr, tls)) {
		if strings.Contains(err.Error(), row.word) {
			e.kind, e.why = row.kind, row.why
			if !row.advice.IsZero() {
				e.Advice = row.advice
			}
			break
		}
	}
	return e
}

// worded is a reason and the text that identifies it.
type worded struct {
	word string
	reason
}

// reasons returns the reasons in the order in which they are tried; closed is the one for a connection that was
// closed at once.
func reasons(closed reason) []worded {
	other := reason{"what answers there is not BuildKit", advice.Say("give the address of a buildkitd"), ErrNoWorker}
	return []worded{
		{"x509: ", reason{"its certificate is not trusted", advice.Of(advice.TrustWorker), registry.ErrDenied}},
		{
			"tls: certificate required",
			reason{"it requires a client certificate", advice.Of(advice.ClientCert), registry.ErrDenied},
		},
		{
			"remote error: tls: ",
			reason{"it refused the client certificate", advice.Of(advice.SignedCert), registry.ErrDenied},
		},
		{
			"first record does not look like a TLS handshake",
			reason{"it speaks no TLS", advice.Of(advice.NoCertificates), ErrNoWorker},
		},
		{"has exited with", reason{"the program that reaches it failed", advice.Say(reachedBy), registry.ErrUnavailable}},
		{"error reading server preface: EOF", closed},
		{"connection reset by peer", closed},
		{"error reading server preface: http2", other},
		{"code = Unimplemented", other},
		{"unknown service", other},
		{"unexpected HTTP status code", other},
		{"error reading server preface: ", other},
		{"broken pipe", closed},
		{"executable file not found", reason{"the program that reaches it is missing", advice.Advice{}, ErrNoWorker}},
		{"context deadline exceeded", reason{
			fmt.Sprintf("it did not answer within %s", patience), advice.Say("is the address right, and the network between?"),
			registry.ErrUnavailable,
		}},
		{"permission denied", reason{"this user may not talk to it", advice.Advice{}, registry.ErrDenied}},
	}
}

const reachedBy = "is it there, and running? docker, podman, kubectl or ssh reach it by the name in the address"

func (e *unreachableError) Error() string {
	if e.why == "" {
		return fmt.Sprintf("connecting to worker %q: %s", e.addr, innermost(e.err))
	}
	return fmt.Sprintf("connecting to worker %q: %s: %s", e.addr, e.why, innermost(e.err))
}

// innermost returns what a chain of gRPC errors is about, such as "dial tcp 10.0.0.7:1234: connection refused".
func innermost(err error) string {
	text := err.Error()
	if at := strings.LastIndex(text, "desc = "); at >= 0 {
		text = strings.Trim(text[at+len("desc = "):], `"`)
	}
	return strings.TrimPrefix(text, "transport: Error while dialing: ")
}

func (e *unreachableError) Unwrap() []error { return []error{e.kind, e.err} }
