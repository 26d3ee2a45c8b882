package serve

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"sync"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Both are compiled at the first request; every command of the program would wait for them otherwise.
var (
	endpoint = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|referrers|tags)/([^/]+)$`)
	})
	// repoName is the specification's: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
	repoName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	})
)

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v2", "/v2/":
		answer(w, struct{}{})
		return
	case "/v2/_catalog":
		s.catalog(w, r)
		return
	}
	parts := endpoint().FindStringSubmatch(r.URL.Path)
	if parts == nil || parts[2] == "tags" && parts[3] != "list" {
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such endpoint of a registry")
		return
	}
	name, kind, id := parts[1], parts[2], parts[3]
	if !repoName().MatchString(name) {
		refuse(w, http.StatusBadRequest, "NAME_INVALID", "invalid repository name")
		return
	}
	repo, err := s.repository(r.Context(), name)
	switch {
	case err != nil:
		s.broken(w, err, "NAME_UNKNOWN")
	case kind == "manifests":
		s.manifest(w, r, repo, id)
	case kind == "blobs":
		s.blob(w, r, repo, id)
	case kind == "tags":
		s.tags(w, r, repo)
	default:
		s.referrers(w, id)
	}
}

// broken answers with an error of the store.
func (s *Server) broken(w http.ResponseWriter, err error, unknown string) {
	if errors.Is(err, registry.ErrNotFound) {
		refuse(w, http.StatusNotFound, unknown, err.Error())
		return
	}
	refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
}

// referrers answers with an empty list: the store has no referrers. After a 404 clients would look for tags instead.
func (s *Server) referrers(w http.ResponseWriter, id string) {
	if _, ok := digest(w, id); !ok {
		return
	}
	w.Header().Set("Content-Type", string(types.OCIImageIndex))
	answer(w, map[string]any{"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": []any{}})
}

// answer writes JSON; the type may be set already.
func answer(w http.ResponseWriter, v any) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	_ = json.NewEncoder(w).Encode(v) // a client that went away is not our failure
}

// refuse writes an error as the specification has it:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	answer(w, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
