package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

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

// Users are the tags that point to a manifest, and the lists, by tag, that have it as an entry.
type Users struct{ Tags, Lists []string }

// UsersOf reads every tag of the repository, and the lists in lists.
func (r *Repository) UsersOf(ctx context.Context, digest v1.Hash) (Users, error) {
	tags, err := r.Tags(ctx)
	if err != nil {
		return Users{}, err
	}
	var mu sync.Mutex
	var found Users
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for _, tag := range tags {
		group.Go(func() error {
			m, err := r.Resolve(ctx, r.base.WithTag(tag))
			if errors.Is(err, registry.ErrNotFound) {
				return nil // deleted a moment ago
			}
			if err != nil {
				return err
			}
			needs, err := holds(ctx, r, m, digest, 8)
			if err != nil {
				return fmt.Errorf("tag %q: %w", tag, err)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case m.Digest == digest:
				found.Tags = append(found.Tags, tag)
			case needs:
				found.Lists = append(found.Lists, tag)
			}
			return nil
		})
	}
	return found, group.Wait()
}

// holds reports whether a list has digest as an entry, also one of a list inside it, so many levels deep. Those that
// are not there hold nothing.
func holds(ctx context.Context, source registry.Source, m registry.Manifest, digest v1.Hash, levels int) (bool, error) {
	if !m.IsList() {
		return false, nil
	}
	rows, err := registry.DecodeReferrers(m.Body) // of any list
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if row.Digest == digest {
			return true, nil
		}
		if !row.MediaType.IsIndex() || levels == 0 {
			continue
		}
		inner, err := source.Manifest(ctx, row)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if in, err := holds(ctx, source, inner, digest, levels-1); in || err != nil {
			return in, err
		}
	}
	return false, nil
}
