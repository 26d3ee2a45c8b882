package remote

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// PutBlob makes the blob present. From another repository of the same registry it is mounted; otherwise it is looked up
// while an upload is begun, and sent in one request. What BeginBlob has done is not done again, and what is being put
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
			b, err := r.begun(ctx, d, src)
			if err != nil || b.at == nil {
				return b.moved, err
			}
			return r.upload(ctx, d, src, b.at)
		})
	})
}

func (r *Repository) uploadRequest(d v1.Descriptor) request {
	return request{doing: "writing blob", ref: r.base.WithDigest(d.Digest), scopes: r.writes()}
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
		if wantsChunks(err) {
			r.host.shrinkChunks(err, d.Size)
			return r.uploadChunks(ctx, d, src)
		}
		return registry.Copied, err
	}
	drain(resp.Body)
	return registry.Copied, nil
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
