package registry

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// newHTTPClient has as many idle connections as requests in flight (Go's default is two a host), HTTP/2 where offered, and
// honours o.Proxy.
func newHTTPClient(o ClientOptions) *http.Client {
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
	return &http.Client{Transport: newTrust(o, t), CheckRedirect: checkRedirect}
}

// dialer goes where HostSettings.Resolve says, under the name that was asked for.
func (o ClientOptions) dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if to := o.settings(addr).Resolve; to != "" {
			addr = resolved(to, addr)
		}
		return d.DialContext(ctx, network, addr)
	}
}

// resolved is to, with the port of addr where it has none.
func resolved(to, addr string) string {
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	_, port, _ := net.SplitHostPort(addr) // net/http always gives one
	return net.JoinHostPort(strings.Trim(to, "[]"), port)
}

// carried is what another host gets to see of a request that is redirected to it.
func carried(header string) bool {
	return slices.Contains([]string{"Accept", "Content-Type", "Range", "User-Agent"}, header)
}

// checkRedirect keeps the credentials, and headers of the user's, with the host they were for. net/http alone would pass
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

// SameOrigin reports whether both addresses are of one scheme, host and port: what one of them was told is not for
// others.
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
