package serve

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry/store"
)

// Options are the registry's guards; the zero value is for loopback addresses only.
type Options struct {
	// Hosts are the Host headers, with ports, that are answered: a web page whose name resolves to 127.0.0.1 sends its
	// own (DNS rebinding). Without any, all are answered.
	Hosts []string
	// Patience is how long a client may take to read, or to send, 32 KiB; 0 means 30 seconds.
	Patience time.Duration
	// Users may connect, by HTTP basic authentication; nil requires no login.
	Users *Users
	// Writable lets clients push and delete.
	Writable bool
	// MaxBlob is how many bytes an uploaded blob may have; 0 means no limit but the disk.
	MaxBlob int64
	// Told, when set, hears what clients did. Calls may come at the same time.
	Told func(Event)
}

// LoopbackHosts returns Options.Hosts for a server at the loopback address addr, HOST:PORT: all names by which clients on
// this machine reach it.
func LoopbackHosts(addr string) []string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []string{addr}
	}
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
	if !slices.Contains(hosts, addr) {
		hosts = append(hosts, addr) // 127.0.0.2
	}
	return hosts
}

// Event is something that a client did to an image.
type Event struct {
	Action Action
	Name   string // as the client named it: "demo:v1", "demo@sha256:…"
	Digest v1.Hash
	Size   int64 // bytes of the manifest and the blobs that it names; not those of a list's images
}

// Action is what a client did.
type Action string

// The actions.
const (
	Pushed  Action = "pushed"
	Pulled  Action = "pulled"
	Deleted Action = "deleted"
)

// Server is the handler. It reads the store anew for every request.
type Server struct {
	store   *store.Store
	layout  *store.Layout
	options Options
	trees   trees
	uploads uploads
	naming  sync.Mutex // held while names of the store change, from looking at them on
}

// New returns the handler. It does no I/O.
func New(s *store.Store, o Options) *Server {
	o.Patience = cmp.Or(o.Patience, 30*time.Second)
	return &Server{store: s, layout: store.OpenLayout(s.Dir()), options: o}
}

// Close removes uploads, and blobs that no manifest names yet. No request may be in flight.
func (s *Server) Close() error { return s.uploads.close() }

// How long clients may take, and how long Run waits for requests in flight.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	grace      = 5 * time.Second
)

// Run serves until ctx ends, gives requests in flight five more seconds, and closes l. The end of ctx is not an error.
func Run(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		// Requests in flight outlive ctx, whose progress they tell.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(patient)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w = s.patient(w, r)
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(s.options.Hosts) > 0 && !slices.Contains(s.options.Hosts, strings.ToLower(r.Host)):
		refuse(w, http.StatusForbidden, "DENIED", "this registry answers to "+strings.Join(s.options.Hosts, " and ")+" only")
	case !s.options.Users.admits(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="mtool"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "a user and a password of this server are needed")
	case !reads && !s.options.Writable:
		notAllowed(w, "this registry is read-only", http.MethodGet, http.MethodHead)
	case http.NewCrossOriginProtection().Check(r) != nil:
		refuse(w, http.StatusForbidden, "DENIED", "this registry takes nothing from web pages")
	default:
		s.route(w, r)
	}
}

func (s *Server) tell(e Event) {
	if s.options.Told != nil {
		s.options.Told(e)
	}
}
