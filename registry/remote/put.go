package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// PutManifest writes m under its digest; no tag is touched. The error wraps ErrRefused when the registry does not take
// it, with the registry's own code and message.
func (r *Repository) PutManifest(ctx context.Context, m registry.Manifest) error {
	return r.put(ctx, r.base.WithDigest(m.Digest), m, nil)
}

// PutTag writes m and points tag to it. The error wraps ErrConflict when the tag may not be moved.
func (r *Repository) PutTag(ctx context.Context, tag string, m registry.Manifest) error {
	return r.put(ctx, r.base.WithTag(tag), m, nil)
}

// PutTagIf is PutTag on the condition that tag still has the digest was, zero for no such tag. A registry that honours
// conditions (RFC 9110 section 13.1) refuses otherwise, and the error wraps ErrConflict. Others ignore conditions.
func (r *Repository) PutTagIf(ctx context.Context, tag string, m registry.Manifest, was v1.Hash) error {
	condition := http.Header{"If-Match": {`"` + was.String() + `"`}}
	if was == (v1.Hash{}) {
		condition = http.Header{"If-None-Match": {"*"}}
	}
	err := r.put(ctx, r.base.WithTag(tag), m, condition)
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != http.StatusPreconditionFailed {
		return err
	}
	now, lookErr := r.Tag(ctx, tag)
	switch {
	case lookErr != nil && !errors.Is(lookErr, registry.ErrNotFound):
		return errors.Join(err, lookErr)
	case lookErr == nil && now.Digest == m.Digest:
		return nil // we have written it, and the answer was lost
	case now.Digest == was:
		return r.PutTag(ctx, tag, m) // the condition holds, but this registry compares with something else
	case lookErr != nil:
		refused.Message = fmt.Sprintf("the tag was %s when it was read, and is gone", was)
	case was == (v1.Hash{}):
		refused.Message = fmt.Sprintf("the tag was not there when it was looked up, and is %s now", now.Digest)
	default:
		refused.Message = fmt.Sprintf("the tag was %s when it was read, and is %s now", was, now.Digest)
	}
	return refused
}

// PutTags writes m under its digest and points all tags to it in one request. It reports whether the registry says that
// it has done so: one that does not know this kind of request has written m alone, or nothing.
// https://github.com/opencontainers/distribution-spec/pull/600
func (r *Repository) PutTags(ctx context.Context, tags []string, m registry.Manifest) (bool, error) {
	ref := r.base.WithDigest(m.Digest)
	q := r.putting(ref, m, nil, url.Values{"tag": tags}.Encode())
	answer, err := r.send(ctx, q)
	if errors.Is(err, registry.ErrRefused) {
		return false, nil // perhaps of the query: the tags one by one get an answer about the manifest
	}
	if err != nil {
		return false, err
	}
	written := answer.Values("OCI-Tag")
	if slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(written, tag) }) {
		return false, nil
	}
	return true, r.checkStored(ctx, q, ref, m, answer)
}

// put writes m, under conditions if there are any.
func (r *Repository) put(ctx context.Context, ref registry.Ref, m registry.Manifest, conditions http.Header) error {
	q := r.putting(ref, m, conditions, "")
	answer, err := r.send(ctx, q)
	if errors.Is(err, registry.ErrRefused) {
		r.uploads.reset()
	}
	if err != nil {
		return err
	}
	return r.checkStored(ctx, q, ref, m, answer)
}

// checkStored makes sure that the registry has m under its digest: from its answer to q, or else by looking.
func (r *Repository) checkStored(
	ctx context.Context, q request, ref registry.Ref, m registry.Manifest, answer http.Header,
) error {
	stored, err := v1.NewHash(answer.Get("Docker-Content-Digest"))
	if err != nil {
		if stored, err = r.stored(ctx, ref); err != nil {
			return err
		}
	}
	if stored != m.Digest {
		e := r.host.failure(q)
		e.Kind, e.Message = registry.ErrRefused, fmt.Sprintf("it stored %s instead of %s", stored, m.Digest)
		return e
	}
	return nil
}

// putting is the request that writes m.
func (r *Repository) putting(ref registry.Ref, m registry.Manifest, conditions http.Header, query string) request {
	q := request{
		doing: "writing manifest", ref: ref, scopes: r.writes(),
		method: http.MethodPut, path: r.path("manifests", identifier(ref)), query: query,
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		body:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.Body)), nil },
		size:   int64(len(m.Body)),
		want:   []int{http.StatusCreated, http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	}
	maps.Copy(q.header, conditions)
	return q
}

// send sends q, again where that may help, and returns the header of the answer.
func (r *Repository) send(ctx context.Context, q request) (http.Header, error) {
	return retry(ctx, r.client, func() (http.Header, error) {
		resp, err := r.host.send(ctx, q)
		if err != nil {
			return nil, err
		}
		drain(resp.Body)
		return resp.Header, nil
	})
}

// stored returns the digest under ref.
func (r *Repository) stored(ctx context.Context, ref registry.Ref) (v1.Hash, error) {
	if ref.Tag != "" {
		m, err := r.Tag(ctx, ref.Tag)
		return m.Digest, err
	}
	m, err := r.Resolve(ctx, ref)
	return m.Digest, err
}
