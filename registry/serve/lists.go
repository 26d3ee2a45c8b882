package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) tags(w http.ResponseWriter, r *http.Request, repo repository, _ string) {
	if len(repo.images) == 0 {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "the store has no image of this name")
		return
	}
	page, ok := paged(w, r, repo.tags())
	if ok {
		answer(w, map[string]any{"name": repo.name, "tags": page})
	}
}

func (s *Server) catalog(w http.ResponseWriter, r *http.Request) {
	names, err := s.Names(r.Context())
	if err != nil {
		s.broken(w, err, "NAME_UNKNOWN")
		return
	}
	for i, name := range names {
		names[i] = name[:strings.LastIndex(name, ":")]
	}
	slices.Sort(names)
	page, ok := paged(w, r, slices.Compact(names))
	if ok {
		answer(w, map[string]any{"repositories": page})
	}
}

// paged returns the page that n and last ask for, and sets a Link header to the next:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags
func paged(w http.ResponseWriter, r *http.Request, all []string) ([]string, bool) {
	query := r.URL.Query()
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(all, last)
		if found {
			i++
		}
		all = all[i:]
	}
	if all == nil {
		all = []string{}
	}
	if !query.Has("n") {
		return all, true
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n < 0 {
		refuse(w, http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "n is not a number of results")
		return nil, false
	}
	if n >= len(all) {
		return all, true
	}
	page := all[:n]
	if n > 0 {
		next := url.URL{Path: r.URL.Path, RawQuery: url.Values{"n": {strconv.Itoa(n)}, "last": {page[n-1]}}.Encode()}
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next.String()))
	}
	return page, true
}
