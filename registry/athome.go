package registry

import "net/http"

// AtHome is next, and keeps credentials from the other ports of a host that a redirect leads to: Go's client takes them along.
// A Client needs none.
func AtHome(next http.RoundTripper) http.RoundTripper { return atHome{next} }

type atHome struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (a atHome) RoundTrip(r *http.Request) (*http.Response, error) {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	const key = "Authorization"
	if !SameOrigin(r.URL, first.URL) && r.Header.Get(key) == first.Header.Get(key) {
		r = r.Clone(r.Context())
		r.Header.Del(key)
	}
	return a.next.RoundTrip(r)
}
