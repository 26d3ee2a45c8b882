package serve

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mtool/registry/store"
)

// Options are the registry's guards; the zero value is for loopback addresses only.
type Options struct {
	// Hosts are the Host headers, with ports, that are answered: a web page whose name resolves to 127.0.0.1 sends its
	// own (DNS rebinding). Without any, all are answered.
	Hosts []string
	// Patience is how long a client may take to read 32 KiB of an answer; 0 means 30 seconds.
	Patience time.Duration
	// Username and Password are required by HTTP basic authentication; an empty Password requires nothing.
	Username, Password string
}

// Server is the handler. It reads the store anew for every request.
type Server struct {
	store   *store.Store
	layout  *store.Layout
	options Options
	trees   sync.Map // tree by the digest of its root; content never changes under its digest
}

// New returns the handler. It does no I/O.
func New(s *store.Store, o Options) *Server {
	o.Patience = cmp.Or(o.Patience, 30*time.Second)
	return &Server{store: s, layout: store.OpenLayout(s.Dir()), options: o}
}

// How long clients may take, and how long Run waits for requests in flight.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	grace      = 5 * time.Second
)

// Run serves until ctx ends, gives requests in flight five more seconds, and closes l. The end of ctx is not an error.
func Run(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime}
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
	switch {
	case len(s.options.Hosts) > 0 && !slices.Contains(s.options.Hosts, strings.ToLower(r.Host)):
		refuse(w, http.StatusForbidden, "DENIED", "this registry answers to "+strings.Join(s.options.Hosts, " and ")+" only")
	case !s.admitted(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="mtool"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "the password that this server printed is needed")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
	default:
		s.route(w, r)
	}
}

// admitted reports whether the credentials match. It compares hashes, which takes equally long for every guess.
func (s *Server) admitted(r *http.Request) bool {
	if s.options.Password == "" {
		return true
	}
	name, password, _ := r.BasicAuth()
	got := sha256.Sum256([]byte(name + ":" + password))
	want := sha256.Sum256([]byte(s.options.Username + ":" + s.options.Password))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
