package registrytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Reset empties the registry (content, uploads, tokens, faults and what was recorded) and sets other options; it keeps
// TLS or plain HTTP. A registry that was down is up again.
func (s *Server) Reset(o Options) {
	must(s.up())
	s.mu.Lock()
	defer s.mu.Unlock()
	o.TLS, s.options = s.options.TLS, o
	s.repos, s.uploads, s.tokens = map[string]*repository{}, map[string]*upload{}, map[string]grant{}
	s.used = map[string]bool{}
	s.faults, s.requests, s.scopes, s.shown, s.struck = nil, nil, nil, nil, 0
}

// Become sets other options and keeps the content.
func (s *Server) Become(o Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.TLS, s.options = s.options.TLS, o
}

// Heal ends all faults; a registry that was down is up again.
func (s *Server) Heal() {
	must(s.up())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Struck returns how many faults have happened.
func (s *Server) Struck() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// Credentials returns the Authorization headers of all requests that had one.
func (s *Server) Credentials() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown)
}

// Twice returns the blobs, as REPOSITORY@DIGEST, whose bytes were received and stored more than once.
func (s *Server) Twice() []string {
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

// Broken returns the tags below which something is missing, as REPOSITORY:TAG with what is missing. A registry that was
// only pushed to bottom-up has none.
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

// missing returns the first missing digest below a manifest, "" when there is none; depth limits lists that contain
// themselves.
func (r *repository) missing(digest v1.Hash, depth int) string {
	m, ok := r.manifests[digest]
	if !ok || depth > 8 {
		return "lacks manifest " + digest.String()
	}
	if Hash(m.Body) != digest {
		return "has corrupt manifest " + digest.String()
	}
	below, err := Below(m)
	if err != nil {
		return "has manifest " + digest.String() + ": " + err.Error()
	}
	for _, d := range below {
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

// Tags returns all tags, as REPOSITORY:TAG with the digest that they point to.
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

// Below returns what a manifest refers to: the rows of a list, or the layers and the config of an image.
func Below(m registry.Manifest) ([]v1.Descriptor, error) {
	var body struct {
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return nil, err
	}
	below := append(body.Manifests, body.Layers...)
	if body.Config != nil {
		below = append(below, *body.Config)
	}
	return below, nil
}
