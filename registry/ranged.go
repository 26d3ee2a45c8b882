package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Range opens n bytes of a blob, from off on. Nothing verifies them, and a connection that breaks is an error. A registry that
// answers with the whole blob instead is ErrNoRanges.
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
		e.Kind, e.Err, e.Message = ErrNoRanges, ErrNoRanges, ErrNoRanges.Error()
		return nil, e
	}
	return resp.Body, nil
}
