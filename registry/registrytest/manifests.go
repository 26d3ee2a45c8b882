package registrytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

func (s *Server) serveManifest(w http.ResponseWriter, r *http.Request, repo, name string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.getManifest(w, repo, name)
	case http.MethodPut:
		s.putManifest(w, r, repo, name)
	case http.MethodDelete:
		s.deleteManifest(w, repo, name)
	default:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", r.Method)
	}
}

func (s *Server) getManifest(w http.ResponseWriter, repo, name string) {
	s.mu.Lock()
	stored := s.repository(repo)
	digest, ok := parseDigest(name)
	if !ok {
		digest = stored.tags[name]
	}
	m, ok := stored.manifests[digest]
	s.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown: "+name)
		return
	}
	if !s.options.NoDigestHeader {
		w.Header().Set("Docker-Content-Digest", digest.String())
	}
	respond(w, http.StatusOK, string(m.MediaType), m.Body)
}

func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, repo, name string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	}
	m, err := registry.NewManifest(types.MediaType(r.Header.Get("Content-Type")), body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.conditionsMet(r.Header, repo, name) {
		refuse(w, http.StatusPreconditionFailed, "PRECONDITION_FAILED", "the tag does not meet the condition")
		return
	}
	status, code, message := s.acceptManifest(repo, name, m)
	if status != http.StatusCreated {
		refuse(w, status, code, message)
		return
	}
	w.Header().Set("Location", "/v2/"+repo+"/manifests/"+m.Digest.String())
	if s.options.SeveralTags {
		for _, tag := range r.URL.Query()["tag"] {
			s.repository(repo).tags[tag] = m.Digest
			w.Header().Add("OCI-Tag", tag)
		}
	}
	switch {
	case s.options.OtherDigest != "":
		w.Header().Set("Docker-Content-Digest", s.options.OtherDigest)
	case !s.options.NoDigestHeader:
		w.Header().Set("Docker-Content-Digest", m.Digest.String())
	}
	w.WriteHeader(status)
}

// conditionsMet reports whether a tag meets the conditions of a request.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.1
func (s *Server) conditionsMet(h http.Header, repo, tag string) bool {
	if !s.options.Conditional {
		return true
	}
	current, exists := s.repository(repo).tags[tag]
	match := h.Get("If-Match")
	return (match == "" || exists && match == `"`+current.String()+`"`) && (h.Get("If-None-Match") != "*" || !exists)
}

func (s *Server) acceptManifest(repo, name string, m registry.Manifest) (status int, code, message string) {
	stored := s.repository(repo)
	if !m.MediaType.IsImage() && !m.MediaType.IsIndex() {
		return http.StatusBadRequest, "MANIFEST_INVALID", fmt.Sprintf("unrecognized manifest content type %q", m.MediaType)
	}
	digest, byDigest := parseDigest(name)
	if byDigest && digest != m.Digest {
		return http.StatusBadRequest, "DIGEST_INVALID", "the content's digest is " + m.Digest.String()
	}
	if code, message := stored.check(m); code != "" && !s.options.Lax {
		status := http.StatusBadRequest
		if code == "MANIFEST_BLOB_UNKNOWN" {
			status = http.StatusNotFound
		}
		return status, code, message
	}
	if old, ok := stored.tags[name]; s.options.Immutable && ok && old != m.Digest {
		return http.StatusConflict, "TAG_IMMUTABLE", "the tag " + name + " is immutable"
	}
	stored.manifests[m.Digest] = m
	if !byDigest {
		stored.tags[name] = m.Digest
	}
	return http.StatusCreated, "", ""
}

// check returns an error code for a manifest that refers to missing content, or whose type contradicts its body.
func (r *repository) check(m registry.Manifest) (code, message string) {
	var body struct {
		MediaType types.MediaType `json:"mediaType"`
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return "MANIFEST_INVALID", err.Error()
	}
	if body.MediaType != "" && body.MediaType != m.MediaType {
		return "MANIFEST_INVALID", fmt.Sprintf("the body says %s, the request %s", body.MediaType, m.MediaType)
	}
	for _, d := range body.Manifests {
		if _, ok := r.manifests[d.Digest]; !ok {
			return "MANIFEST_BLOB_UNKNOWN", "manifest unknown to registry: " + d.Digest.String()
		}
	}
	blobs := body.Layers
	if body.Config != nil {
		blobs = append(blobs, *body.Config)
	}
	for _, d := range blobs {
		if _, ok := r.blobs[d.Digest]; !ok && d.MediaType.IsDistributable() {
			return "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry: " + d.Digest.String()
		}
	}
	return "", ""
}

func (s *Server) deleteManifest(w http.ResponseWriter, repo, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.repository(repo)
	digest, byDigest := parseDigest(name)
	_, known := stored.manifests[digest]
	if !byDigest {
		_, known = stored.tags[name]
	}
	if !known {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown: "+name)
		return
	}
	delete(stored.tags, name)
	delete(stored.manifests, digest)
	for tag, d := range stored.tags {
		if byDigest && d == digest {
			delete(stored.tags, tag)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}
