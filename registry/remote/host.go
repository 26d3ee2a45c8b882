package remote

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// host is one registry: how to reach it, and what it has asked for.
type host struct {
	client  *Client
	name    string // as in references
	addr    string // on the network
	session *session

	plain   atomic.Bool // plain HTTP
	guessed bool        // plain is a guess, dropped when the host turns out to speak TLS

	chunk atomic.Int64 // the size of chunks, once the host has refused a blob in one request; 0: it has not

	slots chan struct{} // requests in flight to this host; nil is no limit of its own
	pace  *pace         // nil is no limit

	gate  chan struct{} // held by the request that meets the host first
	met   atomic.Bool   // the host has answered once
	eager bool          // requests need not wait for the first answer
}

func newHost(c *Client, name string) *host {
	named, loopback := matchesHost(c.options.PlainHTTP, name), IsLoopback(name)
	h := &host{
		client: c, name: name, addr: networkName(name),
		guessed: loopback && !named,
		gate:    make(chan struct{}, 1),
		eager:   loopback,
	}
	h.plain.Store(named || loopback)
	settings := c.options.settings(name)
	if n := settings.Concurrency; n > 0 {
		h.slots = make(chan struct{}, n)
	}
	if settings.Rate > 0 {
		h.pace = &pace{every: time.Duration(float64(time.Second) / settings.Rate)}
	}
	h.session = newSession(h)
	return h
}

// url returns the address of path, which begins with "/v2/", by the scheme that the host speaks.
func (h *host) url(path, query string) *url.URL {
	scheme := "https"
	if h.plain.Load() {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: h.addr, Path: path, RawQuery: query}
}

// meet lets the first request to a host go alone, since nearly all hosts answer it with a challenge and would refuse
// all others too. Loopback hosts seldom require a login and get everything at once. A host that does not answer is
// waited for only once. The caller calls done when the first request has ended.
func (h *host) meet(ctx context.Context) (done func(), err error) {
	if h.eager || h.met.Load() {
		return func() {}, nil
	}
	select {
	case h.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.met.Load() {
		<-h.gate
		return func() {}, nil
	}
	return func() {
		h.met.Store(true)
		<-h.gate
	}, nil
}

// networkName returns the address of a host of references. Docker Hub's name is not its address:
// https://github.com/distribution/reference/blob/main/normalize.go
func networkName(name string) string {
	if name == "docker.io" {
		return "registry-1.docker.io"
	}
	return name
}

// matchesHost reports whether name, a host with or without port, is among hosts; one without a port stands for every
// port.
func matchesHost(hosts []string, name string) bool {
	return slices.ContainsFunc(hosts, func(h string) bool {
		return strings.EqualFold(h, name) || strings.EqualFold(h, hostname(name))
	})
}

// hostname removes the port; an IPv6 address loses its brackets only with a port.
func hostname(name string) string {
	if h, _, err := net.SplitHostPort(name); err == nil {
		return h
	}
	return name
}

// IsLoopback reports whether a host, with or without a port, is this machine.
func IsLoopback(name string) bool {
	h := strings.ToLower(strings.Trim(hostname(name), "[]"))
	return h == "localhost" || strings.HasSuffix(h, ".localhost") || net.ParseIP(h).IsLoopback()
}

// acquire waits for the host's turn, then takes a slot of the host and one of all hosts.
func (h *host) acquire(ctx context.Context) error {
	if err := h.pace.wait(ctx); err != nil {
		return err
	}
	if h.slots != nil {
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := h.client.acquire(ctx)
	if err != nil && h.slots != nil {
		<-h.slots
	}
	return err
}

func (h *host) release() {
	h.client.release()
	if h.slots != nil {
		<-h.slots
	}
}
