package remote

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

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

const defaultMaxWait = 2 * time.Minute

// Access is what a repository is opened for; it decides the scope of tokens.
type Access int

// The kinds of access.
const (
	Pull     Access = iota // reading only
	PullPush               // reading and writing
	Delete                 // reading, writing and deleting
)

// HostSettings say how to reach one registry, in addition to Options.PlainHTTP and SkipVerify.
type HostSettings struct {
	// CAFiles are PEM files of authorities that are trusted for this host, in addition to the system's.
	CAFiles []string
	// ClientCert and ClientKey are PEM files; both or none.
	ClientCert, ClientKey string
	// Mirrors are asked for manifests and blobs before the host itself, in this order, where nothing is to be written:
	// HOST[:PORT][/PATH]. One that fails in any way is passed over.
	Mirrors []string
	// Concurrency limits the requests in flight to this host; 0 means no limit of its own.
	Concurrency int
	// Rate limits the requests a second to this host; 0 means no limit.
	Rate float64
	// Headers are sent with every request to this host, but not to hosts that it redirects to.
	Headers map[string]string
	// Resolve is the address to connect to instead of what the name resolves to: ADDRESS[:PORT]. Certificates are still
	// those of the name. A proxy, if there is one, takes precedence.
	Resolve string
}

// settings are those under the host's name, with its port or, for every port, without.
func (o Options) settings(name string) HostSettings {
	for _, key := range spellings(name) {
		if s, ok := o.Hosts[key]; ok {
			return s
		}
	}
	return HostSettings{}
}

// spellings of a host of references or of the network, the most specific first.
func spellings(name string) []string {
	out := []string{name}
	if h := hostname(name); h != name {
		out = append(out, h)
	}
	if hostname(name) == networkName("docker.io") {
		out = append(out, "docker.io")
	}
	return out
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

// AllowedHeader reports whether HostSettings.Headers may set this header: not one that carries credentials, which are
// looked up and guarded elsewhere, and not one that the protocol needs.
func AllowedHeader(name, value string) bool {
	reserved := []string{
		"Accept", "Authorization", "Connection", "Content-Length", "Content-Range", "Content-Type", "Host",
		"Proxy-Authorization",
		"Range", "Transfer-Encoding",
	}
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value) &&
		!slices.Contains(reserved, http.CanonicalHeaderKey(name))
}
