package serve

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
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
	// Users are those who may connect, with HTTP basic authentication; nil requires no login.
	Users *Users
	// Writable lets clients push and delete.
	Writable bool
	// MaxBlob is how many bytes an uploaded blob may have; 0 means no limit but the disk.
	MaxBlob int64
	// OnEvent, if not nil, is called with what clients did, by several goroutines at once.
	OnEvent func(Event)
}

// LoopbackHosts returns Options.Hosts for a server at the loopback address addr, HOST:PORT: all names by which clients
// on this machine reach it.
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
	naming  sync.Mutex // held from reading names of the store to changing them
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
		// Requests in flight outlive ctx, but report to its progress.
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

func (s *Server) tell(e Event) {
	if s.options.OnEvent != nil {
		s.options.OnEvent(e)
	}
}

// maxTrees bounds the memory of trees: they are read again when more were kept.
const maxTrees = 2000

// trees keeps trees by the digest of their root; content never changes under its digest.
type trees struct {
	mu   sync.Mutex
	kept map[v1.Hash]tree
}

func (k *trees) get(root v1.Hash) (tree, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.kept[root]
	return t, ok
}

func (k *trees) keep(root v1.Hash, t tree) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= maxTrees {
		k.kept = map[v1.Hash]tree{}
	}
	k.kept[root] = t
}

func (k *trees) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = nil
}

// tree holds a manifest and everything present below it.
type tree struct {
	manifests map[v1.Hash]v1.Descriptor
	blobs     map[v1.Hash]bool
	referrers map[v1.Hash][]v1.Descriptor // manifests by their subject
	partial   bool                        // a manifest is missing, and may arrive later
}
