package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// repository holds the images that a client finds under one name.
type repository struct {
	name   string
	ref    registry.Ref // the store's name of what is pushed; only where that is possible
	images []store.Image
}

// repository returns the images that a client means by name: "demo" and "library/demo" are docker.io/library/demo. An
// image of another host is found with the host in front, and without it when no other has the same path. Where clients
// may push, names have one meaning: what is pushed must not change which images a name means.
func (s *Server) repository(ctx context.Context, name string) (repository, error) {
	all, err := s.store.List(ctx)
	if err != nil {
		return repository{}, err
	}
	if s.options.Writable {
		ref, err := registry.ParseRef(string(registry.TransportStore) + ":" + name)
		if err != nil {
			return repository{}, err
		}
		images := filter(all, func(r registry.Ref) bool { return r.Repository() == ref.Repository() })
		return repository{name, ref, images}, nil
	}
	for _, full := range []string{name, "docker.io/" + name, "docker.io/library/" + name} {
		if images := filter(all, func(r registry.Ref) bool { return r.Repository() == full }); len(images) > 0 {
			return repository{name: name, images: images}, nil
		}
	}
	images := filter(all, func(r registry.Ref) bool { return r.Repo == name })
	hosts := map[string]bool{}
	for _, image := range images {
		hosts[image.Ref.Host] = true
	}
	switch len(hosts) {
	case 0:
		return repository{}, registry.WithKind(errors.New("the store has no image of this name"), registry.ErrNotFound)
	case 1:
		return repository{name: name, images: images}, nil
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
	if s.options.Writable {
		return ""
	}
	others := filter(all, func(r registry.Ref) bool { return r.Repo == ref.Repo && r.Host != ref.Host })
	if len(others) > 0 {
		return ""
	}
	return ref.Repo
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
	return tree{}, registry.WithKind(fmt.Errorf("not in %q", repo.name), registry.ErrNotFound)
}

// holds returns the descriptor of a manifest that an image of the repository is or names.
func (s *Server) holds(ctx context.Context, repo repository, h v1.Hash) (v1.Descriptor, error) {
	t, err := s.find(ctx, repo, func(t tree) bool { _, ok := t.manifests[h]; return ok })
	return t.manifests[h], err
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

// named returns the name of a tag or digest as clients spell it.
func (r repository) named(id string) string {
	if registry.IsTag(id) {
		return r.name + ":" + id
	}
	return r.name + "@" + id
}

// repoName is the specification's:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
var repoName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
})
