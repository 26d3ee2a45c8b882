package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// PutManifest writes m under its digest; no tag is touched. The error wraps ErrRefused when the registry does not take it,
// with the registry's own code and message.
func (r *Repository) PutManifest(ctx context.Context, m Manifest) error {
	return r.put(ctx, r.base.WithDigest(m.Digest), m)
}

// PutTag writes m and points tag to it. The error wraps ErrConflict when the tag may not be moved.
func (r *Repository) PutTag(ctx context.Context, tag string, m Manifest) error {
	return r.put(ctx, r.base.WithTag(tag), m)
}

// put writes m and makes sure that the registry has it under m's digest: from its answer, or else by looking.
func (r *Repository) put(ctx context.Context, ref Ref, m Manifest) error {
	q := request{
		doing: "writing manifest", ref: ref, scopes: r.writes(),
		method: http.MethodPut, path: r.path("manifests", identifier(ref)),
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		body:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.Body)), nil },
		size:   int64(len(m.Body)),
		want:   []int{http.StatusCreated, http.StatusOK, http.StatusAccepted, http.StatusNoContent},
	}
	said, err := retry(ctx, r.client, func() (string, error) {
		resp, err := r.host.send(ctx, q)
		if err != nil {
			return "", err
		}
		drain(resp.Body)
		return resp.Header.Get("Docker-Content-Digest"), nil
	})
	if errors.Is(err, ErrRefused) {
		r.uploads.reset()
	}
	if err != nil {
		return err
	}
	stored, err := v1.NewHash(said)
	if err != nil {
		if stored, err = r.stored(ctx, ref); err != nil {
			return err
		}
	}
	if stored != m.Digest {
		e := r.host.failure(q)
		e.Kind, e.Message = ErrRefused, fmt.Sprintf("it stored %s instead of %s", stored, m.Digest)
		return e
	}
	return nil
}

// stored is the digest under ref. That a digest is found is proof enough, whether the registry repeats it or not.
func (r *Repository) stored(ctx context.Context, ref Ref) (v1.Hash, error) {
	if ref.Tag != "" {
		d, err := r.Head(ctx, ref.Tag)
		return d.Digest, err
	}
	d, err := r.head(ctx, ref)
	if err == nil && d.Digest == (v1.Hash{}) {
		return ref.Digest, nil
	}
	return d.Digest, err
}
