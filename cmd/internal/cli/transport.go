package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/registry"
	"mtool/registry/login"
	"mtool/registry/remote"
	"mtool/registry/settings"
)

// transportFlags say how registries are reached; every command has them.
type transportFlags struct {
	plainHTTP, skipVerify, caFiles, clientCerts, mirrors []string

	retry, concurrency int
	timeout            time.Duration
	idle, retryWait    time.Duration
	minRate            int64
	expired            func() error // that the time is over; nil without a limit
	overdue            chan error   // gets an error when a command should have ended by now
}

func (f *transportFlags) add(fl *pflag.FlagSet) {
	fl.StringSliceVar(&f.plainHTTP, "plain-http", nil, "speak plain HTTP to this `HOST[:PORT]`\nloopback needs none")
	fl.StringSliceVar(&f.skipVerify, "tls-skip-verify", nil, "don't check the certificate of this `HOST[:PORT]`")
	fl.StringSliceVar(&f.caFiles, "ca-file", nil, "trust the authorities in this PEM `FILE` too")
	fl.StringArrayVar(&f.clientCerts, "client-cert", nil,
		"show this certificate to a registry: `HOST=CERT:KEY`\nthe names of two files in PEM")
	fl.StringArrayVar(&f.mirrors, "mirror", nil,
		"read from this mirror first: `HOST=MIRROR`\n[http://]MIRROR[:PORT][/PATH]")
	fl.IntVar(&f.retry, "retry", 5,
		"`COUNT` of times that a failed request is sent again\nwaits end after two minutes in all")
	fl.DurationVar(&f.retryWait, "retry-wait", 250*time.Millisecond,
		"wait for this `DURATION` before the second request\nabout, and twice as long before each further one")
	fl.IntVar(&f.concurrency, "concurrency", 64, "`COUNT` of requests in flight, over all registries")
	fl.DurationVar(&f.timeout, "timeout", 0, "give up after this `DURATION`, as in 90s or 10m\nby default never")
	fl.DurationVar(&f.idle, "idle-timeout", time.Minute,
		"give up a request that stands still for this `DURATION`\n0: never")
	fl.Int64Var(&f.minRate, "min-rate", 1000,
		"give up answers of fewer `BYTES` a second\nall together, for the --idle-timeout (0: never)")
}

// options are those that the flags state; what they don't state is left to registries.yaml.
func (f *transportFlags) options(fl *pflag.FlagSet) (o app.EnvOptions, err error) {
	o.Settings = remote.Settings{
		PlainHTTP: f.plainHTTP, SkipVerify: f.skipVerify, CAFiles: f.caFiles, Hosts: map[string]remote.HostSettings{},
	}
	if f.retry < 0 || f.concurrency < 1 {
		return o, usagef("", "--retry can't be negative, and --concurrency must be at least 1")
	}
	if f.retryWait <= 0 || f.idle < 0 || f.minRate < 0 {
		return o, usagef("", "--retry-wait must be over 0, and --idle-timeout and --min-rate can't be negative")
	}
	o.Pause, o.Idle, o.MinRate = f.retryWait, f.idle, f.minRate
	if o.MinRate == 0 {
		o.MinRate = -1
	}
	if o.Idle == 0 {
		o.Idle = -1
	}
	if fl.Changed("retry") {
		o.Attempts = f.retry + 1
	}
	if fl.Changed("concurrency") {
		o.Concurrency = f.concurrency
	}
	for _, value := range f.clientCerts {
		host, files, err := cutHost("--client-cert", value)
		if err != nil {
			return o, err
		}
		cert, key, ok := strings.Cut(files, ":")
		if !ok || cert == "" || key == "" {
			return o, usagef("", "--client-cert %q is not HOST=CERTFILE:KEYFILE", value)
		}
		s := o.Hosts[host]
		s.ClientCert, s.ClientKey = cert, key
		o.Hosts[host] = s
	}
	err = f.addMirrors(&o)
	return o, err
}

func (f *transportFlags) addMirrors(o *app.EnvOptions) error {
	for _, value := range f.mirrors {
		host, mirror, err := cutHost("--mirror", value)
		if err != nil {
			return err
		}
		mirror, plain := settings.ParseMirror(mirror)
		if plain != "" {
			o.PlainHTTP = append(o.PlainHTTP, plain)
		}
		s := o.Hosts[host]
		s.Mirrors = append(s.Mirrors, mirror)
		o.Hosts[host] = s
	}
	return nil
}

func cutHost(flag, value string) (host, rest string, err error) {
	name, rest, ok := strings.Cut(value, "=")
	if !ok || name == "" || rest == "" {
		return "", "", usagef("", "%s %q is not HOST=VALUE", flag, value)
	}
	host, err = login.ParseHost(name)
	return host, rest, badInput(err)
}

// How long a command may take to end after its time is over: a build has more to clear away.
const (
	grace      = 1500 * time.Millisecond
	buildGrace = 10 * time.Second
)

// limit ends the command after --timeout. Build has its own flag of that name, and its own error.
func (f *transportFlags) limit(cmd *cobra.Command) {
	if f.timeout <= 0 {
		if limit, err := cmd.Flags().GetDuration("timeout"); err == nil && limit > 0 {
			time.AfterFunc(limit+buildGrace, func() { f.overdue <- fmt.Errorf("not done within --timeout %s", limit) })
		}
		return
	}
	over := timeoutError{f.timeout}
	time.AfterFunc(f.timeout+grace, func() { f.overdue <- over })
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), f.timeout, over)
	cmd.SetContext(ctx)
	f.expired = func() error {
		defer cancel()
		if errors.Is(context.Cause(ctx), over) {
			return over
		}
		return nil
	}
}

// judge turns an error of a command whose time is over into that.
func (f *transportFlags) judge(err error) error {
	if f.expired == nil {
		return err
	}
	if over := f.expired(); over != nil && err != nil {
		return over
	}
	return err
}

// timeoutError is the end of the time that --timeout gave.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string {
	return fmt.Sprintf("%v: not done after %s, the limit of --timeout", registry.ErrUnavailable, e.after)
}
func (timeoutError) Unwrap() error { return registry.ErrUnavailable }

const registriesHelp = `Settings of registries are read from registries.yaml in MTOOL_HOME (by default mtool in the XDG data home, that is
~/.local/share/mtool); flags take precedence. All keys are optional; an unknown one is an error with its line.

  # for all registries: requests in flight (--concurrency), how often a
  # request is sent again (--retry), authorities to trust (--ca-file)
  concurrency: 64
  retry: 5
  ca-file: corporate-ca.pem
  registries:
    # without a port: every port
    registry.example.com:5000:
      # no TLS (--plain-http)
      plain-http: false
      # TLS, but the certificate is not checked (--tls-skip-verify)
      tls-skip-verify: false
      # trusted for this registry only, and shown to it (--client-cert)
      ca-file: registry-ca.pem
      client-cert: me.pem
      client-key: me.key
      # HOST[:PORT][/PATH], read from first (--mirror)
      mirrors: [mirror.example.com]
      # requests in flight to this registry, and requests a second
      concurrency: 4
      rate: 10
      # sent with every request to it, but not to where it redirects to
      headers: {X-Tenant: blue}
      # ADDRESS[:PORT] to use, instead of the one that its name has
      resolve: 10.0.0.7:5443

Files are relative to registries.yaml. A mirror is used for reading only, and tried once: where it fails, the registry
itself is used, also for the rest of a blob that broke off. One failure of a mirror is an error: a blob over 256 kB
whose bytes turn out wrong at its end. Without mirrors of docker.io here or by --mirror, those of Docker Engine are
used: registry-mirrors in docker/daemon.json of the XDG configuration home, else in /etc/docker/daemon.json. Builds use
all of these settings. A worker that is not mtool's has its own settings for what it fetches.

Certificates are also read where docker and podman have them: HOST/*.crt (authorities), HOST/*.cert and HOST/*.key
(client certificates) in /etc/docker/certs.d, /etc/containers/certs.d, and docker/certs.d and containers/certs.d in the
XDG configuration home.

Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, else from "proxies" in docker's config.json. mtool prints a line
for each host that it reaches through one. RUN steps get them as build arguments of the same names; on a worker that is
not mtool's, config.json's for the worker's address, or its default. They are not kept in the image.

Loopback hosts are reached by plain HTTP unless they answer with TLS. Redirects never carry credentials to another host.
No password is sent to a token server without TLS where the registry has TLS.

A request is repeated when the registry answers 408, 425, 429 or 5xx, breaks off, or stands still for a minute
(--idle-timeout): five times (--retry), after 0.25 s (--retry-wait), 0.5 s, 1 s, … or as long as Retry-After says. A
command spends at most two minutes on such waits; requests that wait at the same time count once. A longer Retry-After
ends the command at once, and the error names the time. A request that stood still is repeated only within the first two
and a half minutes, and not at all where the registry has never answered.

Slow answers stand still too: over each minute (--idle-timeout), all answers together must bring 1,000 bytes a second
(--min-rate). A blob is continued where it broke off; an upload starts again, without the blobs that have arrived. Bytes
with another digest are an error at once. --timeout ends the whole command; there is no such limit by default. The first
SIGINT or SIGTERM lets a command clean up, the second one ends it at once.

Before a tag is written, its state is read by GET, because some registries answer HEAD wrongly. It is written with
If-Match or, with --no-clobber, If-None-Match: a registry that honours these refuses it when the tag has moved (exit
code 7).

--idle-timeout of build limits how long a build may show no progress and, if under a minute, its requests too. Requests
of the worker in mtool end in the same way, after five attempts. Another worker decides for itself: build ends when it
has looked for a base image for five minutes, or for --idle-timeout, without progress.
`

func writeRegistriesHelp(w io.Writer) { print.Text(w, registriesHelp) }
