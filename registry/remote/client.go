package remote

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"mtool/registry"
	"mtool/registry/login"
)

// Settings say how registries are reached: by a Client, and by a worker that fetches base images. The zero value is
// right.
type Settings struct {
	// PlainHTTP are hosts spoken to without TLS, as written in references: "host" (any port) or "host:port". Loopback
	// hosts need not be named.
	PlainHTTP []string
	// SkipVerify are hosts whose certificates are not verified, written like PlainHTTP.
	SkipVerify []string
	// CAFiles are PEM files of authorities that are trusted for every host, in addition to the system's.
	CAFiles []string
	// CertDirs are folders like /etc/docker/certs.d, with a folder for each host.
	CertDirs []string
	// Hosts are the settings of single registries, by host as written in references, with or without a port.
	Hosts map[string]HostSettings
	// Proxy is the proxy for all of them; zero means none. Proxies.Own returns the environment's.
	Proxy Proxy
	// Idle is how long a request may stall before it is cancelled; another attempt may follow. Default 60 seconds;
	// negative means no limit.
	Idle time.Duration
}

// Options tune a Client; the zero value is right.
type Options struct {
	Settings
	// UserAgent is sent with every request; default "mtool".
	UserAgent string
	// Concurrency limits the requests in flight, over all hosts; default 64. Of blobs of at least 32 MiB a quarter of
	// that is sent at a time, and of smaller ones as many as have the same total size.
	Concurrency int
	// Attempts is how often a request is sent at most, the first included; default 6.
	Attempts int
	// Pause is roughly the first wait between two attempts; each further one is twice as long. Default 250 milliseconds.
	Pause time.Duration
	// MaxWait caps the waits between attempts, of all requests of the client together, those that a registry asked for
	// by Retry-After included; concurrent waits count once. Default 2 minutes: a client is for one command. A stalled
	// request is not repeated if that could take more than a quarter longer than MaxWait in all, and a host that has
	// never answered by then is not tried again.
	MaxWait time.Duration
	// MinRate is how many bytes per second all concurrent answers together must bring, each its share, over each Idle
	// spent waiting. Default 1,000, far below a line of 10 kB/s; negative means no limit.
	MinRate int64
	// Credentials are looked up once a host requires them; nil means none.
	Credentials *login.Credentials
	// Note is called before each wait, with one line; it may be nil. If concurrent requests fail alike, only the first
	// is reported. It is called from several goroutines.
	Note func(string)
	// Explain, if not nil, is called with each decision and its reason, one line each: which credentials, which tokens,
	// which mounts were refused. It is called from several goroutines.
	Explain func(string)
	// Observe, if not nil, is called after each request. It is called from several goroutines.
	Observe func(Exchange)
}

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

const defaultMaxWait = 2 * time.Minute

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

// Access is what a repository is opened for; it decides the scope of tokens.
type Access int

// The kinds of access.
const (
	Pull     Access = iota // reading only
	PullPush               // reading and writing
	Delete                 // reading, writing and deleting
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
