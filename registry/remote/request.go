package remote

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// request is one request of the distribution specification; it can be sent more than once.
type request struct {
	doing  string       // "reading manifest", for errors
	ref    registry.Ref // the subject, for errors
	scopes scopes       // what a token must allow
	method string
	path   string   // "/v2/…"
	query  string   // encoded
	at     *url.URL // where an earlier answer pointed to; instead of path and query
	header http.Header
	body   func() (io.ReadCloser, error) // opened anew each time; nil for none
	size   int64                         // of body
	want   []int                         // the good statuses
}

// lost reports whether the registry has forgotten an upload, or disagrees about how far it has come.
func (q request) lost(status int, a answer) bool {
	sends := q.at != nil && (q.method == http.MethodPut || q.method == http.MethodPatch)
	return sends &&
		(status == http.StatusNotFound && a.Code != "NAME_UNKNOWN" || status == http.StatusRequestedRangeNotSatisfiable)
}

func (h *host) failure(q request) *Error {
	return &Error{Doing: q.doing, Ref: q.ref, Host: h.addr}
}

func (r *Repository) path(parts ...string) string {
	return "/v2/" + r.base.Repo + "/" + strings.Join(parts, "/")
}

// reads returns the scopes for reading. The repository may be opened for more, and the token then allows more.
func (r *Repository) reads() scopes { return scopes{r.base.Repo: Pull} }

func (r *Repository) writes() scopes { return scopes{r.base.Repo: PullPush} }

// identifier returns what the path names: the digest where there is one, else the tag.
func identifier(ref registry.Ref) string {
	if ref.Digest != (v1.Hash{}) {
		return ref.Digest.String()
	}
	return ref.Tag
}
