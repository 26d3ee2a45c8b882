package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// refs is what a manifest refers to.
type refs struct {
	manifests []v1.Descriptor
	blobs     []v1.Descriptor
}

func refsOf(m registry.Manifest) (refs, error) {
	var body struct {
		Config    *v1.Descriptor  `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return refs{}, registry.WithKind(fmt.Errorf("reading manifest %s: %w", m.Digest, err), registry.ErrContent)
	}
	r := refs{blobs: body.Layers}
	for _, row := range body.Manifests {
		if registry.PointsToBlob(row) {
			r.blobs = append(r.blobs, row)
		} else {
			r.manifests = append(r.manifests, row)
		}
	}
	if body.Config != nil {
		r.blobs = append(r.blobs, *body.Config)
	}
	return r, nil
}

// reach adds d and every manifest and blob below it to seen. It skips missing manifests, which keep nothing alive.
func (r *Reader) reach(ctx context.Context, d v1.Descriptor, seen map[v1.Hash]bool) error {
	if seen[d.Digest] {
		return nil
	}
	m, err := r.Manifest(ctx, v1.Descriptor{MediaType: d.MediaType, Digest: d.Digest})
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	seen[d.Digest] = true
	below, err := refsOf(m)
	if err != nil {
		return err
	}
	for _, blob := range below.blobs {
		seen[blob.Digest] = true
	}
	for _, child := range below.manifests {
		if err := r.reach(ctx, child, seen); err != nil {
			return err
		}
	}
	return nil
}
