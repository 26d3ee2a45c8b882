package registrytest

import (
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Reset removes all content, uploads, tokens, faults and records, and sets the options except TLS. A registry that was
// down is up again.
func (s *Server) Reset(o Options) {
	must(s.up())
	s.mu.Lock()
	defer s.mu.Unlock()
	o.TLS, s.options = s.options.TLS, o
	s.repos, s.uploads, s.tokens = map[string]*repository{}, map[string]*upload{}, map[string]grant{}
	s.used = map[string]bool{}
	s.faults, s.requests, s.scopes, s.credentials, s.faultCount = nil, nil, nil, nil, 0
}

// SetOptions sets the options except TLS, and keeps the content.
func (s *Server) SetOptions(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.TLS, s.options = s.options.TLS, o
}

// ClearFaults removes all faults. A registry that was down is up again.
func (s *Server) ClearFaults() {
	must(s.up())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// FaultCount returns how many faults have happened.
func (s *Server) FaultCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faultCount
}

// Credentials returns the Authorization headers of all requests.
func (s *Server) Credentials() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.credentials)
}

// RepeatedUploads returns the blobs that were uploaded more than once, as "REPOSITORY@DIGEST: N times".
func (s *Server) RepeatedUploads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for name, r := range s.repos {
		for digest, n := range r.finished {
			if n > 1 {
				found = append(found, fmt.Sprintf("%s@%s: %d times", name, digest, n))
			}
		}
	}
	slices.Sort(found)
	return found
}

// Broken returns the tags with missing or corrupt content, as "REPOSITORY:TAG" and the reason. Bottom-up pushes leave
// none.
func (s *Server) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for name, r := range s.repos {
		for tag, digest := range r.tags {
			if missing := r.missing(digest, 0); missing != "" {
				found = append(found, name+":"+tag+" "+missing)
			}
		}
	}
	slices.Sort(found)
	return found
}

// missing returns what is missing or corrupt of a manifest, "" if nothing is. depth limits lists that contain themselves.
func (r *repository) missing(digest v1.Hash, depth int) string {
	m, ok := r.manifests[digest]
	if !ok || depth > 8 {
		return "lacks manifest " + digest.String()
	}
	if Hash(m.Body) != digest {
		return "has corrupt manifest " + digest.String()
	}
	refs, err := m.Refs()
	if err != nil {
		return "has manifest " + digest.String() + ": " + err.Error()
	}
	for _, d := range slices.Concat(refs.Manifests, refs.Blobs()) {
		if d.MediaType.IsImage() || d.MediaType.IsIndex() {
			if missing := r.missing(d.Digest, depth+1); missing != "" {
				return missing
			}
			continue
		}
		data, ok := r.blobs[d.Digest]
		if !ok && d.MediaType.IsDistributable() {
			return "lacks blob " + d.Digest.String()
		}
		if ok && Hash(data) != d.Digest {
			return "has corrupt blob " + d.Digest.String()
		}
	}
	return ""
}

// Tags returns the digests of all tags, by REPOSITORY:TAG.
func (s *Server) Tags() map[string]v1.Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]v1.Hash{}
	for name, r := range s.repos {
		for tag, digest := range maps.All(r.tags) {
			all[name+":"+tag] = digest
		}
	}
	return all
}
