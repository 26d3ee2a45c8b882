package serve

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mtool/registry"
)

// They are compiled at the first request; every command of the program would wait for them otherwise.
var (
	endpoint = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^/v2/(.+)/(manifests|blobs/uploads|blobs|referrers|tags)/([^/]*)$`)
	})
	// repoName is the specification's:
	// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
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
	if err != nil {
		s.broken(w, err, "NAME_UNKNOWN")
		return
	}
	if kind == "blobs/uploads" {
		s.upload(w, r, repo, id)
		return
	}
	requests := s.requests(kind)
	request, ok := requests[r.Method]
	if !ok {
		notAllowed(w, "no such request", slices.Sorted(maps.Keys(requests))...)
		return
	}
	request(w, r, repo, id)
}

// request answers a request about something in a repository.
type request func(w http.ResponseWriter, r *http.Request, repo repository, id string)

// requests returns the requests of an endpoint, by method.
func (s *Server) requests(kind string) map[string]request {
	reads := func(get request) map[string]request {
		return map[string]request{http.MethodGet: get, http.MethodHead: get}
	}
	switch kind {
	case "tags":
		return reads(s.tags)
	case "referrers":
		return reads(s.referrers)
	case "blobs":
		all := reads(s.blob)
		all[http.MethodDelete] = s.deleteBlob
		return all
	default:
		all := reads(s.manifest)
		all[http.MethodPut], all[http.MethodDelete] = s.putManifest, s.deleteManifest
		return all
	}
}

// broken answers with an error of the store.
func (s *Server) broken(w http.ResponseWriter, err error, unknown string) {
	switch {
	case errors.Is(err, registry.ErrNotFound):
		refuse(w, http.StatusNotFound, unknown, err.Error())
	case diskFull(err):
		refuse(w, http.StatusInsufficientStorage, "DENIED", err.Error())
	default:
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
	}
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

func notAllowed(w http.ResponseWriter, message string, allowed ...string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", message)
}
