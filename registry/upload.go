package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PutBlob makes the blob present. From another repository of the same registry it is mounted; otherwise it is looked up
// while an upload is begun, and sent in one request. What is being put already, or was put by this client, is not put
// again. Layers that must not be distributed stay where their manifest says, and count as Present.
//
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
func (r *Repository) PutBlob(ctx context.Context, d v1.Descriptor, src Source) (Moved, error) {
	if !d.MediaType.IsDistributable() {
		return Present, nil
	}
	from, _ := src.(*Repository)
	if from == r {
		return Present, nil
	}
	if from != nil && from.host != r.host {
		from = nil
	}
	return r.uploads.do(ctx, d.Digest, func() (Moved, error) {
		return retry(ctx, r.client, func() (Moved, error) { return r.putBlob(ctx, d, src, from) })
	})
}

// putBlob begins with a mount in any case: without another repository to mount from it names this one, which many
// registries answer like a lookup (201: it is there) and the others like the beginning of an upload.
func (r *Repository) putBlob(ctx context.Context, d v1.Descriptor, src Source, from *Repository) (Moved, error) {
	if from != nil {
		moved, err, done := r.mount(ctx, d, src, from)
		if done {
			return moved, err
		}
	}
	looked := make(chan lookup, 1)
	go func() { looked <- r.lookup(ctx, d) }()
	at, err := r.begin(ctx, d, r)
	found := <-looked
	switch {
	case err != nil && found.there:
		return Present, nil // beginning an upload may be denied to those who may read
	case err != nil:
		return Present, err
	case at == nil:
		return Present, nil
	case found.there:
		r.discard(ctx, d, at)
		return Present, nil
	case found.err != nil:
		r.discard(ctx, d, at)
		return Present, found.err
	}
	return r.upload(ctx, d, src, at)
}

// mount is not done when the registry refuses to; then the blob is copied.
func (r *Repository) mount(ctx context.Context, d v1.Descriptor, src Source, from *Repository) (m Moved, err error, done bool) {
	at, err := r.begin(ctx, d, from)
	var e *Error
	switch {
	case errors.As(err, &e) && (e.again || e.Err != nil && e.Status == 0):
		return Present, err, true
	case err != nil:
		return Present, nil, false //nolint:nilerr // copied instead, as documented
	case at == nil:
		return Mounted, nil, true
	}
	// The registry does not mount, and may have the blob all the same.
	found := r.lookup(ctx, d)
	if found.there || found.err != nil {
		r.discard(ctx, d, at)
		return Present, found.err, true
	}
	m, err = r.upload(ctx, d, src, at)
	return m, err, true
}

type lookup struct {
	there bool
	err   error
}

func (r *Repository) lookup(ctx context.Context, d v1.Descriptor) lookup {
	q := r.blobRequest(d, http.MethodHead, http.StatusOK)
	q.doing = "looking up blob"
	resp, err := r.host.send(ctx, q)
	if errors.Is(err, ErrNotFound) {
		return lookup{}
	}
	if err != nil {
		return lookup{err: err}
	}
	drain(resp.Body)
	return lookup{there: true}
}

func (r *Repository) uploadRequest(d v1.Descriptor) request {
	return request{doing: "writing blob", ref: r.base.WithDigest(d.Digest), scopes: r.writes()}
}

// begin asks for a mount from another repository or this one; at is nil when the blob is there now, and otherwise where its
// bytes go.
func (r *Repository) begin(ctx context.Context, d v1.Descriptor, from *Repository) (at *url.URL, err error) {
	q := r.uploadRequest(d)
	q.method, q.path = http.MethodPost, r.path("blobs", "uploads")+"/"
	q.query = url.Values{"mount": {d.Digest.String()}, "from": {from.base.Repo}}.Encode()
	q.want = []int{http.StatusCreated, http.StatusAccepted}
	if from != r {
		q.doing = "mounting blob"
		q.scopes = q.scopes.with(from.reads())
	}
	resp, err := r.host.send(ctx, q)
	if from == r && (errors.Is(err, ErrRefused) || errors.Is(err, ErrNotFound)) {
		q.query = "" // perhaps it takes a mount from itself for a mistake
		resp, err = r.host.send(ctx, q)
	}
	if err != nil {
		return nil, err
	}
	defer drain(resp.Body)
	if resp.StatusCode == http.StatusCreated {
		return nil, nil
	}
	at, err = r.location(resp)
	if err != nil {
		return nil, r.nowhere(q, resp, err)
	}
	return at, nil
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

// upload sends the bytes in one request, or in several where the registry takes no other.
func (r *Repository) upload(ctx context.Context, d v1.Descriptor, src Source, at *url.URL) (Moved, error) {
	select {
	case r.client.transfers <- struct{}{}:
		defer func() { <-r.client.transfers }()
	case <-ctx.Done():
		r.discard(ctx, d, at)
		return Copied, r.host.failure(r.uploadRequest(d)).interrupted(ctx)
	}
	if r.host.chunked.Load() {
		r.discard(ctx, d, at)
		return r.uploadChunks(ctx, d, src)
	}
	q := r.finishRequest(d, at)
	q.body = func() (io.ReadCloser, error) { return src.Blob(ctx, d) }
	q.size = d.Size
	resp, err := r.host.send(ctx, q)
	if err != nil {
		r.discard(ctx, d, at)
		if wantsChunks(err) {
			r.host.chunked.Store(true)
			return r.uploadChunks(ctx, d, src)
		}
		return Copied, err
	}
	drain(resp.Body)
	return Copied, nil
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
