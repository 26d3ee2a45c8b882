package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// refill is the progress that earns a blob a new set of attempts: a large layer may break off more than a few times.
const refill = 4 << 20

// blobReader reads one blob and verifies it. If the connection breaks it requests the rest.
type blobReader struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no room for it, and reading sends requests
	repo   *Repository
	origin *Repository // what repo is a mirror of
	d      v1.Descriptor
	q      request
	body   io.ReadCloser
	hash   hash.Hash
	off    int64 // read so far
	broke  int64 // where it broke last
	tries  *attempts
	failed error
}

func newBlobReader(ctx context.Context, r *Repository, d v1.Descriptor) (*blobReader, error) {
	b := &blobReader{
		ctx: ctx, repo: r, d: d, q: r.blobRequest(d, http.MethodGet, http.StatusOK),
		tries: r.client.attempts(),
	}
	h, err := v1.Hasher(d.Digest.Algorithm)
	if err != nil {
		return nil, b.content(err)
	}
	b.hash = h
	return b, nil
}

// open requests the blob, or the rest of it.
func (b *blobReader) open() error {
	q := b.q
	if b.off > 0 {
		q.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", b.off)}}
		q.want = []int{http.StatusOK, http.StatusPartialContent}
	}
	resp, err := b.repo.host.send(b.ctx, q)
	if err != nil {
		return err
	}
	b.body = resp.Body
	if b.off == 0 {
		if b.d.Size > 0 && resp.ContentLength >= 0 && resp.ContentLength != b.d.Size {
			_ = resp.Body.Close()
			return b.content(fmt.Errorf("the blob has %d bytes, not %d", resp.ContentLength, b.d.Size))
		}
		return nil
	}
	return b.skip(resp)
}

// skip moves the body to where reading broke off: the registry may have sent the whole blob again.
func (b *blobReader) skip(resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		if _, err := io.CopyN(io.Discard, resp.Body, b.off); err != nil {
			_ = resp.Body.Close()
			return b.broken(err)
		}
		return nil
	}
	var start int64
	if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &start); err != nil || start != b.off {
		_ = resp.Body.Close()
		return b.broken(fmt.Errorf("asked for the bytes from %d, got %q", b.off,
			registry.OneLine(resp.Header.Get("Content-Range"))))
	}
	return nil
}

// Read returns no bytes together with an error: a caller that copies a blob never gets all of a wrong one.
func (b *blobReader) Read(p []byte) (int, error) {
	for b.failed == nil {
		n, err := b.body.Read(p)
		_, _ = b.hash.Write(p[:n]) // a hash never fails
		b.off += int64(n)
		b.failed = b.judge(err)
		switch {
		case b.failed != nil && !errors.Is(b.failed, io.EOF):
			return 0, b.failed
		case n > 0, len(p) == 0 && err == nil:
			return n, nil
		}
	}
	return 0, b.failed
}

// judge decides what the end of a read means: io.EOF when all was read and is right, nil when reading goes on.
func (b *blobReader) judge(err error) error {
	switch sized := b.d.Size > 0; {
	case sized && b.off > b.d.Size:
		return b.content(fmt.Errorf("the blob has more than %d bytes", b.d.Size))
	case sized && b.off == b.d.Size:
		if wrong := b.verdict(); err != nil || !errors.Is(wrong, io.EOF) {
			return wrong
		}
		return nil // there must not be more
	case errors.Is(err, io.EOF) && !sized:
		return b.verdict()
	case errors.Is(err, io.EOF):
		return b.resume(io.ErrUnexpectedEOF)
	case err != nil:
		return b.resume(err)
	}
	return nil
}

// verdict returns io.EOF, or what is wrong with the whole blob.
func (b *blobReader) verdict() error {
	if got := fmt.Sprintf("%x", b.hash.Sum(nil)); got != b.d.Digest.Hex {
		return b.content(fmt.Errorf("the blob has the digest %s:%s", b.d.Digest.Algorithm, got))
	}
	return io.EOF
}

// resume opens the rest, or returns why it cannot.
func (b *blobReader) resume(cause error) error {
	_ = b.body.Close()
	if b.off-b.broke >= refill {
		b.tries = b.repo.client.attempts()
	}
	b.broke = b.off
	err := b.broken(cause)
	if b.origin != nil {
		b.repo.passedOver(b.origin, err)
		b.repo, b.origin, b.q = b.origin, nil, b.origin.blobRequest(b.d, http.MethodGet, http.StatusOK)
		err = b.open()
	}
	for err != nil {
		if err := b.tries.wait(b.ctx, err); err != nil {
			return err
		}
		err = b.open()
	}
	return nil
}

func (b *blobReader) broken(cause error) error {
	return b.repo.host.failure(b.q).broke(b.ctx, b.repo.host.name,
		fmt.Errorf("answer cut off after %d bytes: %w", b.off, cause))
}

func (b *blobReader) content(cause error) error {
	e := b.repo.host.failure(b.q)
	e.Kind, e.Err, e.Message = registry.ErrContent, cause, cause.Error()
	return e
}

// Checks reports whether reads are compared with d already; see store.Verify.
func (b *blobReader) Checks(d v1.Descriptor) bool {
	return d.Digest == b.d.Digest && d.Size == b.d.Size
}

func (b *blobReader) Close() error { return b.body.Close() }

// Range opens n bytes of a blob at off. Nothing verifies them, and a broken connection is an error. When the registry
// answers with the whole blob, the error wraps ErrNoRanges.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
func (r *Repository) Range(ctx context.Context, d v1.Descriptor, off, n int64) (io.ReadCloser, error) {
	there := func(m *Repository) (io.ReadCloser, error) { return m.openRange(ctx, d, off, n) }
	if b, ok := fromMirror(ctx, r, there); ok {
		return b, nil
	}
	return retry(ctx, r.client, func() (io.ReadCloser, error) { return there(r) })
}

func (r *Repository) openRange(ctx context.Context, d v1.Descriptor, off, n int64) (io.ReadCloser, error) {
	q := r.blobRequest(d, http.MethodGet, http.StatusPartialContent, http.StatusOK)
	q.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, off+n-1)}}
	resp, err := r.host.send(ctx, q)
	if err != nil {
		return nil, err
	}
	var start, end int64
	_, err = fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/", &start, &end)
	if resp.StatusCode != http.StatusPartialContent || err != nil || start != off || end != off+n-1 {
		_ = resp.Body.Close() // it may be the whole blob, which is not worth reading to keep a connection
		e := r.host.failure(q)
		e.Kind, e.Err, e.Message = registry.ErrNoRanges, registry.ErrNoRanges, registry.ErrNoRanges.Error()
		return nil, e
	}
	return resp.Body, nil
}

// Blob opens a config or layer. It verifies digest and size at the end (the error wraps ErrContent), and resumes where
// a connection broke.
func (r *Repository) Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	if b, ok := fromMirror(ctx, r, func(m *Repository) (io.ReadCloser, error) { return m.blobFor(ctx, r, d) }); ok {
		return b, nil
	}
	b, err := newBlobReader(ctx, r, d)
	if err != nil {
		return nil, err
	}
	return retry(ctx, r.client, func() (io.ReadCloser, error) { return b, b.open() })
}

// wholeBlob is the size up to which a mirror's blob is read whole before any of it is returned. No config is larger.
const wholeBlob = 256 << 10

// blobFor opens a blob of r, a mirror of origin. If it breaks off, the rest is read from origin. A small blob with
// the wrong digest is an error at once, so that origin can be tried; a large one is known only at its end.
func (r *Repository) blobFor(ctx context.Context, origin *Repository, d v1.Descriptor) (io.ReadCloser, error) {
	b, err := newBlobReader(ctx, r, d)
	if err != nil {
		return nil, err
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	if d.Size <= 0 || d.Size > wholeBlob {
		b.origin = origin
		return b, nil
	}
	defer b.Close() //nolint:errcheck // all of it was read
	b.tries.made = r.client.options.Attempts - 1
	data, err := io.ReadAll(b)
	return io.NopCloser(bytes.NewReader(data)), err
}

func (r *Repository) blobRequest(d v1.Descriptor, method string, want ...int) request {
	return request{
		doing: "reading blob", ref: r.base.WithDigest(d.Digest), scopes: r.reads(),
		method: method, path: r.path("blobs", d.Digest.String()),
		want: slices.Clone(want),
	}
}
