package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// repository holds the images that a client finds under one name.
type repository struct {
	name   string
	images []store.Image
}

// repository returns the images that a client means by name: "demo" and "library/demo" are docker.io/library/demo. An
// image of another host is found with the host in front, and without it when no other has the same path.
func (s *Server) repository(ctx context.Context, name string) (repository, error) {
	all, err := s.store.List(ctx)
	if err != nil {
		return repository{}, err
	}
	for _, full := range []string{name, "docker.io/" + name, "docker.io/library/" + name} {
		if images := filter(all, func(r registry.Ref) bool { return r.Repository() == full }); len(images) > 0 {
			return repository{name, images}, nil
		}
	}
	images := filter(all, func(r registry.Ref) bool { return r.Repo == name })
	hosts := map[string]bool{}
	for _, image := range images {
		hosts[image.Ref.Host] = true
	}
	switch len(hosts) {
	case 0:
		return repository{}, fmt.Errorf("the store has no image of this name: %w", registry.ErrNotFound)
	case 1:
		return repository{name, images}, nil
	}
	return repository{}, fmt.Errorf("images of several hosts have this path (%s): name the host: %w",
		strings.Join(slices.Sorted(maps.Keys(hosts)), ", "), registry.ErrNotFound)
}

func filter(images []store.Image, keep func(registry.Ref) bool) []store.Image {
	var out []store.Image
	for _, image := range images {
		if keep(image.Ref) {
			out = append(out, image)
		}
	}
	return out
}

// Names returns the names by which clients find images here, "demo:v1", sorted.
func (s *Server) Names(ctx context.Context) ([]string, error) {
	all, err := s.store.List(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, image := range all {
		name := s.shown(all, image.Ref)
		if name != "" && image.Ref.Tag != "" {
			names = append(names, name+":"+image.Ref.Tag)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// shown returns the shortest name of a repository; "" when no client can ask for it: a path can't contain a port.
func (s *Server) shown(all []store.Image, ref registry.Ref) string {
	if ref.Host == "docker.io" {
		return strings.TrimPrefix(ref.Repo, "library/")
	}
	if repoName().MatchString(ref.Repository()) {
		return ref.Repository()
	}
	others := filter(all, func(r registry.Ref) bool { return r.Repo == ref.Repo && r.Host != ref.Host })
	if len(others) > 0 {
		return ""
	}
	return ref.Repo
}

// tree holds a manifest and everything present below it.
type tree struct {
	manifests map[v1.Hash]v1.Descriptor
	blobs     map[v1.Hash]bool
	partial   bool // a manifest is missing, and may arrive later
}

// find returns the tree of the repository's first image for which has returns true.
func (s *Server) find(ctx context.Context, repo repository, has func(tree) bool) (tree, error) {
	for _, image := range repo.images {
		t, err := s.tree(ctx, image.Descriptor)
		if err != nil {
			return tree{}, err
		}
		if has(t) {
			return t, nil
		}
	}
	return tree{}, fmt.Errorf("not in %q: %w", repo.name, registry.ErrNotFound)
}

func (s *Server) tree(ctx context.Context, root v1.Descriptor) (tree, error) {
	if known, ok := s.trees.Load(root.Digest); ok {
		return known.(tree), nil
	}
	t := tree{manifests: map[v1.Hash]v1.Descriptor{}, blobs: map[v1.Hash]bool{}}
	if err := s.grow(ctx, root, &t); err != nil {
		return tree{}, err
	}
	if !t.partial {
		s.trees.Store(root.Digest, t)
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
	var body struct {
		Config    v1.Descriptor   `json:"config"`
		Layers    []v1.Descriptor `json:"layers"`
		Blobs     []v1.Descriptor `json:"blobs"` // of an artifact
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return fmt.Errorf("reading manifest %s: %w: %w", d.Digest, err, registry.ErrContent)
	}
	for _, blob := range slices.Concat([]v1.Descriptor{body.Config}, body.Layers, body.Blobs) {
		t.blobs[blob.Digest] = true
	}
	for _, child := range body.Manifests {
		t.blobs[child.Digest] = true // a list may name blobs too, as BuildKit's caches do
		if child.MediaType.IsIndex() || child.MediaType.IsImage() || child.MediaType == "" {
			if err := s.grow(ctx, child, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// tagged returns the image with this tag.
func (r repository) tagged(tag string) (v1.Descriptor, bool) {
	i := slices.IndexFunc(r.images, func(image store.Image) bool { return image.Ref.Tag == tag })
	if i < 0 {
		return v1.Descriptor{}, false
	}
	return r.images[i].Descriptor, true
}

func (r repository) tags() []string {
	var tags []string
	for _, image := range r.images {
		if image.Ref.Tag != "" {
			tags = append(tags, image.Ref.Tag)
		}
	}
	slices.SortFunc(tags, cmp.Compare[string])
	return slices.Compact(tags)
}
