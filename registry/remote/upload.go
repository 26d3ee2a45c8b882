package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// PutBlob makes the blob present. From another repository of the same registry it is mounted; otherwise it is looked up
// while an upload is started, and sent in one request. What BeginBlob has done is not done again, and what is being put
// already, or was put by this client, is not put again. Layers that must not be distributed stay where their manifest
// says, and count as Present.
//
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
func (r *Repository) PutBlob(ctx context.Context, d v1.Descriptor, src registry.Source) (registry.Moved, error) {
	if !d.MediaType.IsDistributable() || src == r {
		return registry.Present, nil
	}
	return r.uploads.do(ctx, d.Digest, func() (registry.Moved, error) {
		return retry(ctx, r.client, func() (registry.Moved, error) {
			start, err := r.startedUpload(ctx, d, src)
			if err != nil || start.at == nil {
				return start.moved, err
			}
			return r.upload(ctx, d, src, start.at)
		})
	})
}

// upload sends the bytes in one request, or in several where the registry takes no other.
func (r *Repository) upload(
	ctx context.Context, d v1.Descriptor, src registry.Source, at *url.URL,
) (registry.Moved, error) {
	done, err := r.client.transfer(ctx, d.Size)
	if err != nil {
		r.discard(ctx, d, at)
		return registry.Copied, r.host.failure(r.uploadRequest(d)).interrupted(ctx)
	}
	defer done()
	if r.host.chunk.Load() > 0 {
		r.discard(ctx, d, at)
		return r.uploadChunks(ctx, d, src)
	}
	q := r.finishRequest(d, at)
	q.body = func() (io.ReadCloser, error) { return counted(ctx, src, d) }
	q.size = d.Size
	resp, err := r.host.send(ctx, q)
	if err != nil {
		r.discard(ctx, d, at)
		if needsChunks(err) {
			r.host.shrinkChunks(err, d.Size)
			return r.uploadChunks(ctx, d, src)
		}
		return registry.Copied, err
	}
	drain(resp.Body)
	return registry.Copied, nil
}

// BeginBlob does what PutBlob can do before any bytes are sent: it mounts the blob, or looks it up and opens an upload.
// PutBlob continues from there, even when it is called before BeginBlob has ended, and returns its error. Abandon ends
// the uploads that no PutBlob took.
func (r *Repository) BeginBlob(ctx context.Context, d v1.Descriptor, src registry.Source) {
	if !d.MediaType.IsDistributable() || src == r {
		return
	}
	e := r.uploads.startEarly(d.Digest)
	if e == nil {
		return
	}
	defer close(e.done)
	e.start, e.err = retry(ctx, r.client, func() (uploadStart, error) { return r.startUpload(ctx, d, r.mountFrom(src)) })
}

// Abandon cancels the uploads that were opened and not used, and waits for that. First end the context that they were
// opened with.
func (r *Repository) Abandon(ctx context.Context) {
	var all sync.WaitGroup
	for digest, e := range r.uploads.takeAllEarly() {
		all.Go(func() {
			<-e.done
			if e.start.at != nil {
				r.discard(ctx, v1.Descriptor{Digest: digest}, e.start.at)
			}
		})
	}
	all.Wait()
}

// startedUpload returns what BeginBlob started, once, or starts an upload. One that did not try a mount is cancelled if
// there is something to mount from.
func (r *Repository) startedUpload(ctx context.Context, d v1.Descriptor, src registry.Source) (uploadStart, error) {
	from := r.mountFrom(src)
	e := r.uploads.takeEarly(ctx, d.Digest)
	if e == nil {
		return r.startUpload(ctx, d, from) // which fails when ctx is done
	}
	if e.start.at != nil && !e.start.tried && from != nil {
		r.discard(ctx, d, e.start.at)
		return r.startUpload(ctx, d, from)
	}
	return e.start, e.err
}

// mountFrom returns src as another repository of this registry; nil if it is not one.
func (r *Repository) mountFrom(src registry.Source) *Repository {
	if from, ok := src.(*Repository); ok && from.host == r.host {
		return from
	}
	return nil
}

// startUpload always requests a mount. Without another repository to mount from it names this one, which many
// registries answer like a lookup (201: present) and the others like the start of an upload.
func (r *Repository) startUpload(ctx context.Context, d v1.Descriptor, from *Repository) (uploadStart, error) {
	if from != nil {
		if start, err, done := r.mount(ctx, d, from); done {
			return start, err
		}
	}
	looked := make(chan lookup, 1)
	go func() { looked <- r.lookup(ctx, d) }()
	at, err := r.requestMount(ctx, d, r)
	found := <-looked
	switch {
	case err != nil && found.there:
		return uploadStart{}, nil // starting an upload may be denied where reading is allowed
	case err != nil:
		return uploadStart{}, err
	case at == nil:
		return uploadStart{}, nil
	case found.there, found.err != nil:
		r.discard(ctx, d, at)
		return uploadStart{}, found.err
	}
	return uploadStart{moved: registry.Copied, at: at}, nil
}

// mount reports done as false when the registry refuses to mount; the blob is copied then.
func (r *Repository) mount(
	ctx context.Context, d v1.Descriptor, from *Repository,
) (start uploadStart, err error, done bool) {
	at, err := r.requestMount(ctx, d, from)
	var e *Error
	switch {
	case errors.As(err, &e) && (e.again || e.Err != nil && e.Status == 0):
		return uploadStart{}, err, true
	case err != nil:
		r.client.explain("%s can't be mounted from %s, and is copied: %v", d.Digest, from.base.Repository(), err)
		return uploadStart{}, nil, false
	case at == nil:
		return uploadStart{moved: registry.Mounted}, nil, true
	}
	// The registry does not mount, but may have the blob anyway.
	r.client.explain("%s is not mounted from %s: the registry asks for its bytes", d.Digest, from.base.Repository())
	found := r.lookup(ctx, d)
	if found.there || found.err != nil {
		r.discard(ctx, d, at)
		return uploadStart{}, found.err, true
	}
	return uploadStart{moved: registry.Copied, at: at, tried: true}, nil, true
}

type lookup struct {
	there bool
	err   error
}

func (r *Repository) lookup(ctx context.Context, d v1.Descriptor) lookup {
	q := r.blobRequest(d, http.MethodHead, http.StatusOK)
	q.doing = "looking up blob"
	resp, err := r.host.send(ctx, q)
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrRefused) || errors.Is(err, registry.ErrDenied) {
		return lookup{} // some registries don't serve HEAD; the upload will show a lack of permission
	}
	if err != nil {
		return lookup{err: err}
	}
	drain(resp.Body)
	return lookup{there: true}
}

// requestMount requests a mount from another repository or this one. It returns nil when the blob is present now,
// otherwise the address that takes its bytes.
func (r *Repository) requestMount(ctx context.Context, d v1.Descriptor, from *Repository) (at *url.URL, err error) {
	q := r.uploadRequest(d)
	q.method, q.path = http.MethodPost, r.path("blobs", "uploads")+"/"
	q.query = url.Values{"mount": {d.Digest.String()}, "from": {from.base.Repo}}.Encode()
	q.want = []int{http.StatusCreated, http.StatusAccepted}
	if from != r {
		q.doing = "mounting blob"
		q.scopes = q.scopes.with(from.reads())
	}
	resp, err := r.host.send(ctx, q)
	if from == r && (errors.Is(err, registry.ErrRefused) || errors.Is(err, registry.ErrNotFound)) {
		q.query = "" // it may reject a mount from itself
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
		return nil, r.noLocation(q, resp, err)
	}
	return at, nil
}
