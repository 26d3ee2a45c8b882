package remote

import (
	"context"
	"errors"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// DeleteTag removes a tag and leaves the manifest that it points to. The repository must be opened for Delete. The
// error wraps ErrRefused if the registry deletes nothing, or only manifests by digest.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-tags
func (r *Repository) DeleteTag(ctx context.Context, tag string) error {
	return r.remove(ctx, r.base.WithTag(tag), "deleting tag")
}

// DeleteManifest removes a manifest, and with it every tag that points to it. What it refers to stays. The repository
// must be opened for Delete; errors are as for DeleteTag.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-manifests
func (r *Repository) DeleteManifest(ctx context.Context, digest v1.Hash) error {
	return r.remove(ctx, r.base.WithDigest(digest), "deleting manifest")
}

func (r *Repository) remove(ctx context.Context, ref registry.Ref, doing string) error {
	q := request{
		doing: doing, ref: ref, scopes: scopes{r.base.Repo: Delete},
		method: http.MethodDelete, path: r.path("manifests", identifier(ref)),
		want: []int{http.StatusAccepted, http.StatusOK, http.StatusNoContent},
	}
	first := true
	_, err := retry(ctx, r.client, func() (struct{}, error) {
		resp, err := r.host.send(ctx, q)
		if err == nil {
			drain(resp.Body)
		} else if !first && errors.Is(err, registry.ErrNotFound) {
			err = nil // the previous attempt has deleted it, and its answer was lost
		}
		first = false
		return struct{}{}, err
	})
	return err
}
