package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

func (s *Server) tree(ctx context.Context, root v1.Descriptor) (tree, error) {
	if known, ok := s.trees.get(root.Digest); ok {
		return known, nil
	}
	t := tree{manifests: map[v1.Hash]v1.Descriptor{}, blobs: map[v1.Hash]bool{}, referrers: map[v1.Hash][]v1.Descriptor{}}
	if err := s.grow(ctx, root, &t); err != nil {
		return tree{}, err
	}
	if !t.partial {
		s.trees.keep(root.Digest, t)
	}
	return t, nil
}

func (s *Server) grow(ctx context.Context, d v1.Descriptor, t *tree) error {
	if _, seen := t.manifests[d.Digest]; seen {
		return nil
	}
	m, err := s.layout.Manifest(ctx, d)
	if errors.Is(err, registry.ErrNotFound) {
		t.partial = true
		return nil
	}
	if err != nil {
		return err
	}
	t.manifests[d.Digest] = m.Descriptor()
	body, err := contentOf(m)
	if err != nil {
		return err
	}
	for _, d := range slices.Concat(body.blobs(), body.Manifests) {
		t.blobs[d.Digest] = true // a list may name blobs too, as BuildKit's caches do
	}
	if body.Subject != nil {
		row := m.Descriptor()
		row.ArtifactType, row.Annotations = body.artifactType(), body.Annotations
		t.referrers[body.Subject.Digest] = append(t.referrers[body.Subject.Digest], row)
	}
	for _, child := range body.manifests() {
		if err := s.grow(ctx, child, t); err != nil {
			return err
		}
	}
	return nil
}

// content is what a manifest names.
type content struct {
	Config       *v1.Descriptor    `json:"config"`
	Layers       []v1.Descriptor   `json:"layers"`
	Blobs        []v1.Descriptor   `json:"blobs"` // of an artifact
	Manifests    []v1.Descriptor   `json:"manifests"`
	Subject      *v1.Descriptor    `json:"subject"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
}

func contentOf(m registry.Manifest) (content, error) {
	var c content
	if err := json.Unmarshal(m.Body, &c); err != nil {
		return c, registry.WithKind(fmt.Errorf("reading manifest %s: %w", m.Digest, err), registry.ErrContent)
	}
	return c, nil
}

// manifests are the rows of a list that name manifests.
func (c content) manifests() []v1.Descriptor {
	return slices.DeleteFunc(slices.Clone(c.Manifests), registry.PointsToBlob)
}

// blobs are the configs and layers, and the rows of a list that name blobs.
func (c content) blobs() []v1.Descriptor {
	all := slices.Concat(c.Layers, c.Blobs)
	if c.Config != nil {
		all = append(all, *c.Config)
	}
	for _, row := range c.Manifests {
		if registry.PointsToBlob(row) {
			all = append(all, row)
		}
	}
	return all
}

// artifactType returns what a list of referrers states as a manifest's artifactType:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
func (c content) artifactType() string {
	if c.Config == nil {
		return c.ArtifactType
	}
	return cmp.Or(c.ArtifactType, string(c.Config.MediaType))
}
