package remote

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func (r *Repository) uploadRequest(d v1.Descriptor) request {
	return request{doing: "writing blob", ref: r.base.WithDigest(d.Digest), scopes: r.writes()}
}

// finishRequest ends the upload at the address at. Its query is the registry's own and may be signed, so it is appended
// to and not encoded again.
func (r *Repository) finishRequest(d v1.Descriptor, at *url.URL) request {
	to := *at
	to.RawQuery = strings.TrimPrefix(at.RawQuery+"&digest="+url.QueryEscape(d.Digest.String()), "&")
	q := r.uploadRequest(d)
	q.method, q.at = http.MethodPut, &to
	q.header = http.Header{"Content-Type": {"application/octet-stream"}}
	q.want = []int{http.StatusCreated, http.StatusOK, http.StatusAccepted, http.StatusNoContent}
	return q
}

// location is absolute, or relative to the request. A registry behind a proxy that ends TLS often names http.
func (r *Repository) location(resp *http.Response) (*url.URL, error) {
	at, err := resp.Location()
	if err != nil {
		return nil, err
	}
	if asked := resp.Request.URL; at.Host == asked.Host && asked.Scheme == "https" {
		at.Scheme = "https"
	}
	return at, nil
}

// noLocation returns the error for an answer that does not say where to upload to.
func (r *Repository) noLocation(q request, resp *http.Response, err error) error {
	e := r.host.failure(q)
	e.Kind, e.Err, e.Status, e.Message = registry.ErrRefused, err, resp.StatusCode,
		"the answer does not say where to upload to"
	return e
}

// counted opens the blob, and counts for the task of ctx what is read of it.
func counted(ctx context.Context, src registry.Source, d v1.Descriptor) (io.ReadCloser, error) {
	rc, err := src.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	return registry.Counted(ctx, rc), nil
}

// discard gives an upload up, also when ctx is done. That it fails does not matter: registries clean up by themselves.
func (r *Repository) discard(ctx context.Context, d v1.Descriptor, at *url.URL) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	q := r.uploadRequest(d)
	q.method, q.at = http.MethodDelete, at
	q.want = []int{http.StatusNoContent, http.StatusOK, http.StatusAccepted}
	if resp, err := r.host.send(ctx, q); err == nil {
		drain(resp.Body)
	}
}
