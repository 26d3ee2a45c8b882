package registrytest

import (
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Options configure a registry. The zero value serves plain HTTP without authentication, and is as strict as
// distribution/distribution.
type Options struct {
	// Network is the network to listen on; nil means a port of this machine.
	Network *Network
	// TLS serves HTTPS with an untrusted certificate, which Server.Certificate returns.
	TLS bool
	// Username and Password are required if Username is not "": in every request, or at the token endpoint.
	Username, Password string
	// Token requires a bearer token from the registry's token endpoint, with a scope for each repository.
	Token bool
	// IdentityToken is a refresh token that the token endpoint accepts instead of Username and Password (OAuth2).
	IdentityToken string
	// AnonymousPull issues tokens for pull without a password.
	AnonymousPull bool
	// OneScope makes the token endpoint refuse requests for more than one scope.
	OneScope bool
	// NoMount responds to every mount with 202 and an upload, like a registry that can't mount.
	NoMount bool
	// Referrers serves the referrers API. Without it clients keep lists under tags.
	Referrers bool
	// NoDigestHeader leaves Docker-Content-Digest out of all responses about manifests.
	NoDigestHeader bool
	// OtherDigest is sent as Docker-Content-Digest in responses to a PUT of a manifest, like a registry that rewrites
	// manifests.
	OtherDigest string
	// Immutable refuses to move a tag.
	Immutable bool
	// Conditional honours If-Match and If-None-Match in a PUT of a tag. The ETag is the quoted digest.
	Conditional bool
	// SeveralTags accepts tags in the query of a PUT by digest, and responds with OCI-Tag for each.
	SeveralTags bool
	// NoRange responds to a range request with the whole blob.
	NoRange bool
	// Chunked accepts blobs only in chunks (PATCH), and responds with 413 to a whole one.
	Chunked bool
	// Lax accepts manifests whose blobs or children are missing.
	Lax bool
	// PageSize is the largest number of tags in a response; 0 means all.
	PageSize int
}

// Server is a registry in this process, on a free port of 127.0.0.1, with its content in memory.
type Server struct {
	options Options
	http    *httptest.Server
	host    string

	mu          sync.Mutex
	repos       map[string]*repository
	uploads     map[string]*upload
	tokens      map[string]grant
	used        map[string]bool // the tokens that a request has used
	faults      []*Fault
	chaos       func(*http.Request) *Fault
	faultCount  int
	credentials []string
	requests    []string
	scopes      [][]string
	serial      int
	closed      chan struct{}
	isDown      bool
}

// repository is the content of one repository. Each has its own blobs, as in the specification.
type repository struct {
	blobs     map[v1.Hash][]byte
	manifests map[v1.Hash]registry.Manifest
	tags      map[string]v1.Hash
	finished  map[v1.Hash]int // number of finished uploads, by blob
}

// New starts a registry that stops when the test ends.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatalf("starting a registry: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a registry; Close stops it.
func Start(o Options) (*Server, error) {
	s := &Server{
		options: o, closed: make(chan struct{}),
		repos: map[string]*repository{}, uploads: map[string]*upload{}, tokens: map[string]grant{}, used: map[string]bool{},
	}
	if s.http = httptest.NewUnstartedServer(s); o.Network != nil {
		_ = s.http.Listener.Close() // not used yet
		s.http.Listener = o.Network.Listen()
	}
	// Some tests speak plain HTTP to a TLS server, and its log messages about them are expected.
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.http.EnableHTTP2 = true
	if o.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.host = s.http.Listener.Addr().String()
	return s, nil
}

// Close stops the registry and ends requests that hang.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
}

// Host returns the registry's address as in references: "127.0.0.1:40123".
func (s *Server) Host() string { return s.host }

// Network returns the network of the options.
func (s *Server) Network() *Network { return s.options.Network }

// Certificate returns the certificate that a client must trust, nil without TLS.
func (s *Server) Certificate() *x509.Certificate { return s.http.Certificate() }

// Load stores b in repo under tag without a request. Unlike a push it can load lists with missing children. An empty
// tag loads b by digest only.
func (s *Server) Load(repo, tag string, b Built) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repository(repo)
	maps.Copy(r.blobs, b.Blobs)
	for _, m := range b.Manifests {
		r.manifests[m.Digest] = m
	}
	if tag != "" {
		r.tags[tag] = b.Manifest.Digest
	}
}

// Remove deletes the blob or manifest of this digest from repo, and the tags that point to it.
func (s *Server) Remove(repo string, digest v1.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repository(repo)
	delete(r.blobs, digest)
	delete(r.manifests, digest)
	for tag, d := range r.tags {
		if d == digest {
			delete(r.tags, tag)
		}
	}
}

// Corrupt flips a bit of the blob or manifest, which is still served under its digest.
func (s *Server) Corrupt(repo string, digest v1.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repository(repo)
	if data, ok := r.blobs[digest]; ok {
		r.blobs[digest] = flip(data)
	}
	if m, ok := r.manifests[digest]; ok {
		m.Body = flip(m.Body)
		r.manifests[digest] = m
	}
}

func flip(data []byte) []byte {
	out := slices.Clone(data)
	out[len(out)/2] ^= 1
	return out
}

// Tag returns the digest of a tag, and whether the tag exists.
func (s *Server) Tag(repo, tag string) (v1.Hash, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest, ok := s.repository(repo).tags[tag]
	return digest, ok
}

// Has reports whether repo has the blob or manifest of this digest.
func (s *Server) Has(repo string, digest v1.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.repository(repo)
	_, blob := r.blobs[digest]
	_, manifest := r.manifests[digest]
	return blob || manifest
}

// Uploads returns the number of uploads that are neither finished nor cancelled.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

// Requests returns all requests so far as "METHOD /path?query", including those for tokens and those with a fault.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count returns the number of requests whose line ("METHOD /path?query") contains all parts.
func (s *Server) Count(parts ...string) int {
	n := 0
	for _, line := range s.Requests() {
		missing := func(part string) bool { return !strings.Contains(line, part) }
		if !slices.ContainsFunc(parts, missing) {
			n++
		}
	}
	return n
}

// Forget clears the recorded requests and scopes.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.scopes = nil, nil
}

// Scopes returns the scopes of each token request, in order.
func (s *Server) Scopes() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.scopes)
}

// repository returns the repository, and creates it if it is missing. The caller holds the lock.
func (s *Server) repository(name string) *repository {
	r, ok := s.repos[name]
	if !ok {
		r = &repository{
			blobs: map[v1.Hash][]byte{}, manifests: map[v1.Hash]registry.Manifest{}, tags: map[string]v1.Hash{},
			finished: map[v1.Hash]int{},
		}
		s.repos[name] = r
	}
	return r
}
