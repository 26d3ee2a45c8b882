package remote

import (
	"context"
	"errors"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Referrers returns the manifests whose subject is digest. known is false when the registry has no referrers API; then
// it reads the list under the FallbackTag, which may be missing.
//
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
func (r *Repository) Referrers(ctx context.Context, digest v1.Hash) (all []v1.Descriptor, known bool, err error) {
	all, err = pages(r, listingReferrers, func(query string) ([]v1.Descriptor, string, error) {
		return r.referrerPage(ctx, digest, query)
	})
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrRefused) {
		all, err := r.fallback(ctx, digest)
		return all, false, err
	}
	return all, err == nil, err
}

const listingReferrers = "listing referrers"

func (r *Repository) fallback(ctx context.Context, digest v1.Hash) ([]v1.Descriptor, error) {
	m, err := r.Resolve(ctx, r.base.WithTag(registry.FallbackTag(digest)))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return registry.DecodeReferrers(m.Body)
}

func (r *Repository) referrerPage(
	ctx context.Context, digest v1.Hash, query string,
) (page []v1.Descriptor, next string, err error) {
	q := request{
		doing: listingReferrers, ref: r.base.WithDigest(digest), scopes: r.reads(),
		method: http.MethodGet, path: r.path("referrers", digest.String()), query: query,
		want: []int{http.StatusOK},
	}
	next, err = retry(ctx, r.client, func() (string, error) {
		resp, err := r.host.send(ctx, q)
		if err != nil {
			return "", err
		}
		defer drain(resp.Body)
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest))
		if err != nil {
			return "", r.host.failure(q).broke(ctx, r.host.name, err)
		}
		if page, err = registry.DecodeReferrers(body); err != nil {
			e := r.host.failure(q)
			e.Kind, e.Err, e.Message = registry.ErrContent, err, "the answer is not a list of referrers"
			return "", e
		}
		return nextQuery(resp.Header.Get("Link")), nil
	})
	return page, next, err
}
