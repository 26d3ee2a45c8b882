package serve

import (
	"context"
	"errors"
	"net/http"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// What a client pushed stays readable by its digest, as in any registry. So a manifest has a name by digest in the
// store if, and only if, no tag of its repository leads to it.

// giveNames gives the manifest its tags, or a name by digest where nothing leads to it.
func (s *Server) giveNames(
	ctx context.Context, repo repository, m registry.Manifest, tags []string, writer *store.Writer,
) error {
	for _, tag := range tags {
		if old, there := repo.tagged(tag); there && old.Digest != m.Digest {
			if err := s.keep(ctx, repo, old, tag, writer); err != nil {
				return err
			}
		}
		if err := writer.PutTag(ctx, tag, m); err != nil {
			return err
		}
	}
	if _, err := s.holds(ctx, repo, m.Digest); len(tags) == 0 && errors.Is(err, registry.ErrNotFound) {
		return writer.PutTag(ctx, "", m)
	}
	return s.unnameBelow(ctx, repo, m, len(tags) > 0)
}

// keep names old by its digest, unless another name than tag leads to it.
func (s *Server) keep(ctx context.Context, repo repository, old v1.Descriptor, tag string, writer *store.Writer) error {
	others := repo.without(func(image store.Image) bool { return image.Ref.Tag == tag })
	if _, err := s.holds(ctx, others, old.Digest); !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	m, err := s.layout.Root(ctx, old)
	if err != nil {
		return err
	}
	return writer.PutTag(ctx, "", m)
}

// unnameBelow takes the names by digest from what m now leads to, and from m itself if it has a tag.
func (s *Server) unnameBelow(ctx context.Context, repo repository, m registry.Manifest, tagged bool) error {
	t, err := s.tree(ctx, m.Descriptor())
	if err != nil {
		return err
	}
	for _, image := range repo.images {
		_, leads := t.manifests[image.Descriptor.Digest]
		if image.Ref.Tag != "" || !leads || image.Descriptor.Digest == m.Digest && !tagged {
			continue
		}
		if err := s.store.Unname(ctx, image.Ref); err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (r repository) without(drop func(store.Image) bool) repository {
	r.images = slices.DeleteFunc(slices.Clone(r.images), drop)
	return r
}

// deleteManifest deletes a tag, or a manifest with all its tags:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-management
func (s *Server) deleteManifest(w http.ResponseWriter, r *http.Request, repo repository, id string) {
	s.naming.Lock()
	defer s.naming.Unlock()
	repo, err := s.repository(r.Context(), repo.name) // again, now that no other request changes it
	if err != nil {
		s.broken(w, err, "NAME_UNKNOWN")
		return
	}
	var h v1.Hash
	if registry.IsTag(id) {
		h, err = s.untag(r.Context(), repo, id)
	} else {
		var ok bool
		if h, ok = digest(w, id); !ok {
			return
		}
		err = s.remove(r.Context(), repo, h)
	}
	switch {
	case errors.Is(err, errPart):
		notAllowed(w, err.Error(), http.MethodGet, http.MethodHead, http.MethodPut)
	case err != nil:
		s.broken(w, err, "MANIFEST_UNKNOWN")
	default:
		s.tell(Event{Action: Deleted, Name: repo.named(id), Digest: h})
		w.WriteHeader(http.StatusAccepted)
	}
}

// untag deletes a tag. What it named stays.
func (s *Server) untag(ctx context.Context, repo repository, tag string) (v1.Hash, error) {
	d, there := repo.tagged(tag)
	if !there {
		return v1.Hash{}, registry.ErrNotFound
	}
	writer := s.store.Writer(repo.ref)
	err := s.keep(ctx, repo, d, tag, writer)
	if err == nil {
		err = s.store.Unname(ctx, repo.ref.WithTag(tag))
	}
	return d.Digest, errors.Join(err, writer.Close())
}

var errPart = errors.New("a list names this image: delete the list first")

// remove deletes a manifest, its names, and what only it led to.
func (s *Server) remove(ctx context.Context, repo repository, h v1.Hash) error {
	if _, err := s.holds(ctx, repo, h); err != nil {
		return err
	}
	others := repo.without(func(image store.Image) bool { return image.Descriptor.Digest == h })
	switch _, err := s.holds(ctx, others, h); {
	case err == nil:
		return errPart
	case !errors.Is(err, registry.ErrNotFound):
		return err
	}
	s.trees.forget()
	return s.store.Remove(ctx, repo.ref.WithDigest(h))
}
