package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"mtool/registry"
)

// newHTTPClient returns a client with as many idle connections as requests in flight (Go's default is two per host),
// HTTP/2 if offered, and o.Proxy.
func newHTTPClient(o Options) *http.Client {
	t := &http.Transport{
		Proxy:               httpProxyFunc(o),
		DialContext:         o.dialer(),
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        2 * o.Concurrency,
		MaxIdleConnsPerHost: o.Concurrency,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 15 * time.Second,
		// Storage behind a registry may take minutes to commit a layer of many gigabytes before the answer begins.
		ResponseHeaderTimeout: 10 * time.Minute,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		// Layers are compressed already and digests are of the bytes as sent.
		DisableCompression: true,
	}
	return &http.Client{Transport: observed(newTrust(o, t), o.Observe), CheckRedirect: checkRedirect}
}

// dialer connects to where HostSettings.Resolve says, under the requested name.
func (o Options) dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if to := o.settings(addr).Resolve; to != "" {
			addr = resolved(to, addr)
		}
		return d.DialContext(ctx, network, addr)
	}
}

// resolved returns to, with the port of addr if it has none.
func resolved(to, addr string) string {
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	_, port, _ := net.SplitHostPort(addr) // net/http always gives one
	return net.JoinHostPort(strings.Trim(to, "[]"), port)
}

// carried reports whether a header is kept when a redirect leads to another host.
func carried(header string) bool {
	return slices.Contains([]string{"Accept", "Content-Type", "Range", "User-Agent"}, header)
}

// checkRedirect sends credentials and the user's headers only to the host they are for. net/http alone would pass
// them on to another port and to subdomains, which may be the storage of someone else.
func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	if !SameOrigin(r.URL, via[0].URL) {
		maps.DeleteFunc(r.Header, func(key string, _ []string) bool { return !carried(key) })
	}
	return nil
}

// SameOrigin reports whether both addresses have one scheme, host and port. If not, secrets for one are not for the
// other.
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(withPort(a), withPort(b))
}

func withPort(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "http":
		return u.Host + ":80"
	}
	return u.Host + ":443"
}

// GuardCredentials wraps next and removes credentials from a request that a redirect leads to another port of the host,
// where Go's client keeps them. A Client needs none.
func GuardCredentials(next http.RoundTripper) http.RoundTripper { return credentialGuard{next} }

type credentialGuard struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a credentialGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	const key = "Authorization"
	if !SameOrigin(r.URL, first.URL) && r.Header.Get(key) == first.Header.Get(key) {
		r = r.Clone(r.Context())
		r.Header.Del(key)
	}
	return a.next.RoundTrip(r)
}

// The waits of RetryReads: the first, which doubles each time, the last before it gives up, and the longest that a
// registry may ask for: one that asks for more is not tried again. Callers make further attempts of their own.
const (
	firstPause   = 100 * time.Millisecond
	lastPause    = 400 * time.Millisecond
	longestPause = 10 * time.Second
)

// RetryReads wraps next and repeats a request that only reads, up to three times, if the connection broke before the
// answer or the server is temporarily unavailable. BuildKit does so for the content of an image, but not when it
// looks up the image.
func RetryReads(next http.RoundTripper) http.RoundTripper { return retryReads{next} }

type retryReads struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p retryReads) RoundTrip(r *http.Request) (*http.Response, error) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	for pause := firstPause; ; pause *= 2 {
		resp, err := p.next.RoundTrip(r)
		again := err == nil && transient(resp.StatusCode) || ConnectionLost(err)
		if !reads || !again || pause > lastPause {
			return resp, err
		}
		wait := pause
		if err == nil {
			if wait = max(pause, retryAfter(resp.Header, time.Now())); wait > longestPause {
				return resp, nil
			}
			drain(resp.Body)
		}
		if err := registry.Sleep(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// ConnectionLost reports whether err is a connection that the other side ended.
func ConnectionLost(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// httpProxyFunc returns http.Transport's Proxy; it notes each host that is reached by a proxy once, without the
// password.
func httpProxyFunc(o Options) func(*http.Request) (*url.URL, error) {
	var noted sync.Map
	return func(r *http.Request) (*url.URL, error) {
		u, err := o.Proxy.For(r.URL)
		if _, again := noted.LoadOrStore(r.URL.Host, true); u != nil && !again && o.Note != nil {
			o.Note(fmt.Sprintf("%s via proxy %s", r.URL.Host, u.Redacted()))
		}
		return u, err
	}
}

// LimitIdle wraps next with the limits that Options.Idle, MinRate and MaxWait set for a Client, the latter two by
// default: a host that has never answered by then is not tried again. A negative after means no limit.
func LimitIdle(next http.RoundTripper, after time.Duration) http.RoundTripper {
	if after < 0 {
		return next
	}
	return &idleLimit{next: next, line: &line{idle: after, rate: leastRate}}
}

type idleLimit struct {
	next http.RoundTripper
	line *line
	dead silentHosts
}

// RoundTrip implements http.RoundTripper.
func (l *idleLimit) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.dead.of(r.URL.Host); err != nil {
		closeBody(r.Body)
		return nil, err
	}
	resp, err := l.line.send(r, l.next.RoundTrip)
	l.dead.note(r, err, stillLimit(defaultMaxWait))
	return resp, err
}
