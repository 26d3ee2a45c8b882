package registrytest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ServeHTTP serves the endpoints of the OCI distribution specification.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	if secret := r.Header.Get("Authorization"); secret != "" {
		s.credentials = append(s.credentials, secret)
	}
	s.mu.Unlock()
	if f := s.fault(r); f != nil {
		s.applyFault(f, w, r, s.serve)
		return
	}
	s.serve(w, r)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if r.URL.Path == tokenPath {
		s.serveToken(w, r)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/v2/")
	if !ok {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "no such endpoint")
		return
	}
	if rest == "_catalog" {
		s.serveCatalog(w, r)
		return
	}
	repo, kind, name := split(rest)
	if !s.authorized(w, r, repo) {
		return
	}
	switch kind {
	case "":
		w.WriteHeader(http.StatusOK)
	case "manifests":
		s.serveManifest(w, r, repo, name)
	case "blobs":
		s.serveBlob(w, r, repo, name)
	case "uploads":
		s.serveUpload(w, r, repo, name)
	case "tags":
		s.serveTags(w, r, repo)
	case "referrers":
		s.serveReferrers(w, repo, name)
	default:
		refuse(w, http.StatusNotFound, "NOT_FOUND", "no such endpoint")
	}
}

// split splits the path after /v2/ into the repository, the kind of endpoint, and the tag, digest or upload.
func split(path string) (repo, kind, name string) {
	if path == "" {
		return "", "", ""
	}
	for _, k := range []string{"/blobs/uploads/", "/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if i := strings.LastIndex(path, k); i > 0 {
			return path[:i], strings.TrimPrefix(strings.Trim(k, "/"), "blobs/"), path[i+len(k):]
		}
	}
	return path, "unknown", ""
}

func (s *Server) serveTags(w http.ResponseWriter, r *http.Request, repo string) {
	s.mu.Lock()
	stored := s.repository(repo)
	var tags []string
	for tag := range stored.tags {
		tags = append(tags, tag)
	}
	known := len(stored.manifests) > 0
	s.mu.Unlock()
	if !known {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	slices.Sort(tags)
	s.servePage(w, r, map[string]any{"name": repo}, "tags", tags)
}

func (s *Server) serveCatalog(w http.ResponseWriter, r *http.Request) {
	if !s.authorized(w, r, "") {
		return
	}
	s.mu.Lock()
	var names []string
	for name, stored := range s.repos {
		if len(stored.manifests) > 0 {
			names = append(names, name)
		}
	}
	s.mu.Unlock()
	slices.Sort(names)
	s.servePage(w, r, map[string]any{}, "repositories", names)
}

// servePage sends page with a member that has the names after ?last=, at most ?n= of them.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request, page map[string]any, member string, names []string) {
	if last := r.URL.Query().Get("last"); last != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name <= last })
	}
	limit := len(names)
	if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil {
		limit = min(limit, n)
	}
	if s.options.PageSize > 0 {
		limit = min(limit, s.options.PageSize)
	}
	if limit < len(names) {
		names = names[:limit]
		w.Header().Set("Link", "<"+r.URL.Path+"?n="+strconv.Itoa(limit)+"&last="+names[limit-1]+`>; rel="next"`)
	}
	page[member] = names
	respond(w, http.StatusOK, "application/json", encode(page))
}

// refuse sends an error in the specification's format.
func refuse(w http.ResponseWriter, status int, code, message string) {
	if code == "" {
		code = "UNKNOWN"
	}
	type failure struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	respond(w, status, "application/json", encode(map[string][]failure{"errors": {{code, message}}}))
}

func respond(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// An error means that the client has disconnected.
	_, _ = w.Write(body)
}

func parseDigest(s string) (v1.Hash, bool) {
	h, err := v1.NewHash(s)
	return h, err == nil
}
