package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// The sizes of chunks, in bytes. Proxies in front of registries limit the size of a request, to a hundred megabytes or
// to one: chunks begin with the largest size, and are halved for as long as they are refused.
const (
	largestChunk  = 8 << 20
	smallestChunk = 256 << 10
)

// shrinkChunks sets the size of the host's chunks after it has refused a request of that many bytes with err. It
// reports whether smaller chunks may be accepted.
func (h *host) shrinkChunks(err error, refused int64) bool {
	have := h.chunk.Load()
	size := cmp.Or(have, largestChunk)
	for tooLarge(err) && refused > smallestChunk && size >= refused {
		size /= 2
	}
	size = max(size, smallestChunk)
	if size != have && h.chunk.CompareAndSwap(have, size) {
		h.client.explain("%s refuses %d bytes in one request: sending chunks of %d", h.name, refused, size)
	}
	return h.chunk.Load() < refused // another upload may have changed it
}

// tooLarge reports whether err is an answer to a request that was too large.
func tooLarge(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == http.StatusRequestEntityTooLarge
}

// needsChunks reports whether an upload may have been refused for its size alone. There is no error code for that.
func needsChunks(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusMethodNotAllowed, http.StatusLengthRequired, http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest:
		return e.Code == "UNSUPPORTED" || e.Code == "SIZE_INVALID" || e.Code == "BLOB_UPLOAD_INVALID"
	}
	return false
}

// chunks sends a blob in several requests:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
type chunks struct {
	repo *Repository
	d    v1.Descriptor
	src  registry.Source
	body io.ReadCloser // nil before the first chunk
	off  int64         // of body
	last *part         // the last reader
}

// uploadChunks opens a new upload: the one that was refused is gone.
func (r *Repository) uploadChunks(ctx context.Context, d v1.Descriptor, src registry.Source) (registry.Moved, error) {
	q := r.uploadRequest(d)
	q.method, q.path, q.want = http.MethodPost, r.path("blobs", "uploads")+"/", []int{http.StatusAccepted}
	resp, err := r.host.send(ctx, q)
	if err != nil {
		return registry.Copied, err
	}
	drain(resp.Body)
	c := &chunks{repo: r, d: d, src: src}
	defer c.close()
	at, err := c.next(q, resp)
	least, _ := strconv.ParseInt(resp.Header.Get("OCI-Chunk-Min-Length"), 10, 64) // 0: any
	for start := int64(0); err == nil && start < d.Size; {
		end := min(start+max(r.host.chunk.Load(), least), d.Size)
		at, err = c.send(ctx, at, start, end)
		switch {
		case err == nil:
			start = end
		case tooLarge(err) && end-start > least && r.host.shrinkChunks(err, end-start):
			err = nil // the upload is still where it was: a proxy has refused the chunk
		}
	}
	if err == nil {
		err = c.finish(ctx, at)
	}
	if e, ok := errors.AsType[*Error](err); ok && tooLarge(err) {
		e.hint = "raise the limit for the size of a request at the registry, or at the proxy in front of it"
	}
	if err != nil && at != nil {
		r.discard(ctx, d, at)
	}
	return registry.Copied, err
}

// send sends the bytes from start to end, and returns the address for the next.
func (c *chunks) send(ctx context.Context, at *url.URL, start, end int64) (*url.URL, error) {
	q := c.repo.uploadRequest(c.d)
	q.method, q.at, q.want = http.MethodPatch, at, []int{http.StatusAccepted, http.StatusNoContent, http.StatusCreated}
	q.header = http.Header{
		"Content-Type":  {"application/octet-stream"},
		"Content-Range": {fmt.Sprintf("%d-%d", start, end-1)},
	}
	q.size = end - start
	q.body = func() (io.ReadCloser, error) { return c.open(ctx, start, end) }
	resp, err := c.repo.host.send(ctx, q)
	if err != nil {
		return at, err
	}
	drain(resp.Body)
	return c.next(q, resp)
}

// open returns a part of the blob. It reads on in the source, or from the start where a chunk is repeated.
func (c *chunks) open(ctx context.Context, start, end int64) (io.ReadCloser, error) {
	c.release()
	if c.body == nil || c.off != start {
		closeBody(c.body)
		body, err := counted(ctx, c.src, c.d)
		if err != nil {
			c.body = nil
			return nil, err
		}
		c.body = body
		if _, err := io.CopyN(io.Discard, body, start); err != nil {
			return nil, err
		}
		c.off = start
	}
	c.last = &part{c: c, left: end - start}
	return c.last, nil
}

// release takes the source back from the last request, which may have been answered early and still be reading.
func (c *chunks) release() {
	if c.last != nil {
		_ = c.last.Close() // never fails
	}
}

func (c *chunks) close() {
	c.release()
	closeBody(c.body)
}

// part reads a stretch of the source; the last one reads to its very end, since only then the source has verified its
// digest.
type part struct {
	c    *chunks
	left int64

	mu     sync.Mutex // of closed, and of the source for as long as it is not
	closed bool
}

func (p *part) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, os.ErrClosed
	}
	if p.left == 0 && p.c.off < p.c.d.Size {
		return 0, io.EOF
	}
	if int64(len(b)) > p.left && p.left > 0 {
		b = b[:p.left]
	}
	n, err := p.c.body.Read(b)
	p.c.off += int64(n)
	p.left -= int64(n)
	return n, err
}

// Close ends the use of the source. It waits for a Read that is running.
func (p *part) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

func (c *chunks) next(q request, resp *http.Response) (*url.URL, error) {
	at, err := c.repo.location(resp)
	if err != nil {
		return nil, c.repo.noLocation(q, resp, err)
	}
	return at, nil
}

func (c *chunks) finish(ctx context.Context, at *url.URL) error {
	q := c.repo.finishRequest(c.d, at)
	resp, err := c.repo.host.send(ctx, q)
	if err == nil {
		drain(resp.Body)
	}
	return err
}
