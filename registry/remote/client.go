package remote

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"mtool/registry"
)

// Client speaks the OCI distribution specification to any number of registries, with one pool of connections and one
// limit on the requests in flight. It is safe for use from several goroutines.
type Client struct {
	options   Options
	http      *http.Client
	slots     chan struct{}       // requests in flight
	transfers *semaphore.Weighted // bytes of blobs being copied
	waits     *budget             // between attempts
	line      *line               // how slow answers may be
	dead      silentHosts

	mu    sync.Mutex
	hosts map[string]*host
	repos map[string]*Repository
}

// NewClient makes no request.
func NewClient(o Options) *Client {
	o.UserAgent = cmp.Or(o.UserAgent, "mtool")
	o.Concurrency = cmp.Or(max(o.Concurrency, 0), 64)
	o.Attempts = cmp.Or(max(o.Attempts, 0), 6)
	o.Pause = cmp.Or(max(o.Pause, 0), 250*time.Millisecond)
	o.MaxWait = cmp.Or(max(o.MaxWait, 0), defaultMaxWait)
	o.Idle = cmp.Or(o.Idle, time.Minute)
	o.MinRate = max(cmp.Or(o.MinRate, leastRate), 0)
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Explain == nil {
		o.Explain = func(string) {}
	}
	return &Client{
		options:   o,
		http:      newHTTPClient(o),
		slots:     make(chan struct{}, o.Concurrency),
		transfers: semaphore.NewWeighted(int64(max(o.Concurrency/4, 1)) * large),
		waits:     &budget{limit: o.MaxWait},
		line:      &line{idle: o.Idle, rate: o.MinRate},
		hosts:     map[string]*host{},
		repos:     map[string]*Repository{},
	}
}

// large is the most that one blob counts for, in bytes, among those being copied: bandwidth limits the number of
// large ones, latency that of small ones.
const large = 32 << 20

// transfer waits until a blob of this size may be copied; the caller calls done afterwards.
func (c *Client) transfer(ctx context.Context, size int64) (done func(), err error) {
	weight := min(max(size, 1), large)
	if err := c.transfers.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return func() { c.transfers.Release(weight) }, nil
}

func (c *Client) explain(format string, args ...any) { c.options.Explain(fmt.Sprintf(format, args...)) }

// HTTP returns the underlying client, with the same certificates and proxies, for addresses that are not a registry's.
func (c *Client) HTTP() *http.Client { return c.http }

// Close closes idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Repository is one repository of a registry, as a Source and a Target; see Client.Repository. Every error is an
// *Error. It is safe for use from several goroutines.
type Repository struct {
	client  *Client
	host    *host
	base    registry.Ref // without tag and digest
	uploads *uploads

	writable     atomic.Bool // opened for writing
	used, failed sync.Once   // notes, once, that this mirror was used, and that it failed
}

var (
	_ registry.Source = (*Repository)(nil)
	_ registry.Target = (*Repository)(nil)
)

// Repository returns the repository that ref names; its tag and digest are ignored. It makes no request but announces
// the access: the first token of a host covers everything announced by then, so open all repositories of a command
// before using the first. Opening one twice returns the same Repository, with the wider access.
func (c *Client) Repository(ref registry.Ref, a Access) *Repository {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[ref.Host]
	if h == nil {
		h = newHost(c, ref.Host)
		c.hosts[ref.Host] = h
	}
	h.session.announce(ref.Repo, a)
	r := c.repos[ref.Repository()]
	if r == nil {
		base := registry.Ref{Transport: registry.TransportRegistry, Host: ref.Host, Repo: ref.Repo}
		r = &Repository{client: c, host: h, base: base, uploads: newUploads()}
		c.repos[ref.Repository()] = r
	}
	if a >= PullPush {
		r.writable.Store(true)
	}
	return r
}

// host is one registry: how to reach it, and what it has asked for.
type host struct {
	client  *Client
	name    string // as in references
	addr    string // on the network
	session *session

	plain   atomic.Bool // plain HTTP
	guessed bool        // plain is a guess, dropped when the host turns out to speak TLS

	chunk atomic.Int64 // the size of chunks, once the host has refused a blob in one request; 0: it has not

	slots chan struct{} // requests in flight to this host; nil means no limit of its own
	pace  *pace         // nil means no limit

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
	h.session = newSession()
	return h
}

func (c *Client) acquire(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Client) release() { <-c.slots }
