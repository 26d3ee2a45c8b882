package remote

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// beginning is how far a blob gets without sending its bytes: it is present, or an upload is open at an address.
type beginning struct {
	moved registry.Moved
	at    *url.URL    // nil: it is present
	from  *Repository // the source of a requested mount; nil for none
}

// earlyUpload is a beginning made before PutBlob is called. what and err are set when done is closed.
type earlyUpload struct {
	done chan struct{}
	what beginning
	err  error
}

// BeginBlob does what PutBlob can do before any bytes are sent: it mounts the blob, or looks it up and opens an upload.
// PutBlob continues from there, even when it is called before BeginBlob has ended, and returns its error. Abandon ends
// the uploads that no PutBlob took.
func (r *Repository) BeginBlob(ctx context.Context, d v1.Descriptor, src registry.Source) {
	if !d.MediaType.IsDistributable() || src == r {
		return
	}
	e := r.uploads.beginEarly(d.Digest)
	if e == nil {
		return
	}
	defer close(e.done)
	e.what, e.err = retry(ctx, r.client, func() (beginning, error) { return r.begin(ctx, d, r.mountFrom(src)) })
}

// Abandon cancels the uploads that were opened and not used, and waits for that. First end the context that they were
// opened with.
func (r *Repository) Abandon(ctx context.Context) {
	var all sync.WaitGroup
	for digest, e := range r.uploads.leaveEarly() {
		all.Go(func() {
			<-e.done
			if e.what.at != nil {
				r.discard(ctx, v1.Descriptor{Digest: digest}, e.what.at)
			}
		})
	}
	all.Wait()
}

// begun returns the result of BeginBlob, once, or else a new beginning. One without a mount is cancelled if there is
// something to mount from.
func (r *Repository) begun(ctx context.Context, d v1.Descriptor, src registry.Source) (beginning, error) {
	from := r.mountFrom(src)
	e := r.uploads.takeEarly(ctx, d.Digest)
	if e == nil {
		return r.begin(ctx, d, from) // which fails when ctx is done
	}
	if e.what.at != nil && e.what.from == nil && from != nil {
		r.discard(ctx, d, e.what.at)
		return r.begin(ctx, d, from)
	}
	return e.what, e.err
}

// mountFrom returns src as another repository of this registry; nil when it is none.
func (r *Repository) mountFrom(src registry.Source) *Repository {
	if from, ok := src.(*Repository); ok && from.host == r.host {
		return from
	}
	return nil
}

// begin always requests a mount. Without another repository to mount from it names this one, which many registries
// answer like a lookup (201: present) and the others like the start of an upload.
func (r *Repository) begin(ctx context.Context, d v1.Descriptor, from *Repository) (beginning, error) {
	if from != nil {
		if b, err, done := r.mount(ctx, d, from); done {
			return b, err
		}
	}
	looked := make(chan lookup, 1)
	go func() { looked <- r.lookup(ctx, d) }()
	at, err := r.ask(ctx, d, r)
	found := <-looked
	switch {
	case err != nil && found.there:
		return beginning{}, nil // beginning an upload may be denied to those who may read
	case err != nil:
		return beginning{}, err
	case at == nil:
		return beginning{}, nil
	case found.there, found.err != nil:
		r.discard(ctx, d, at)
		return beginning{}, found.err
	}
	return beginning{moved: registry.Copied, at: at}, nil
}

// mount reports done as false when the registry refuses to mount; the blob is copied then.
func (r *Repository) mount(ctx context.Context, d v1.Descriptor, from *Repository) (b beginning, err error, done bool) {
	at, err := r.ask(ctx, d, from)
	var e *Error
	switch {
	case errors.As(err, &e) && (e.again || e.Err != nil && e.Status == 0):
		return beginning{}, err, true
	case err != nil:
		r.client.explain("%s can't be mounted from %s, and is copied: %v", d.Digest, from.base.Repository(), err)
		return beginning{}, nil, false
	case at == nil:
		return beginning{moved: registry.Mounted}, nil, true
	}
	// The registry does not mount, but may have the blob anyway.
	r.client.explain("%s is not mounted from %s: the registry wants its bytes", d.Digest, from.base.Repository())
	found := r.lookup(ctx, d)
	if found.there || found.err != nil {
		r.discard(ctx, d, at)
		return beginning{}, found.err, true
	}
	return beginning{moved: registry.Copied, at: at, from: from}, nil, true
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

// ask requests a mount from another repository or this one. It returns nil when the blob is present now, otherwise
// the address that takes its bytes.
func (r *Repository) ask(ctx context.Context, d v1.Descriptor, from *Repository) (at *url.URL, err error) {
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
