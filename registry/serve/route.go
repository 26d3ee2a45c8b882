package serve

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// endpoint is compiled at the first request: every command of the program would wait for it otherwise.
var endpoint = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^/v2/(.+)/(manifests|blobs/uploads|blobs|referrers|tags)/([^/]*)$`)
})

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
