package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/remote"
)

// Tags returns the tags of ref's repository, semantic versions last and in their order: v1.9.0 comes before v1.10.0.
func (e names) Tags(ctx context.Context, ref registry.Ref) ([]string, error) {
	if err := ref.CheckHub(); err != nil {
		return nil, err
	}
	tags, err := e.Client.Repository(ref.At(registry.TransportRegistry), remote.Pull).Tags(ctx)
	slices.SortFunc(tags, registry.CompareTags)
	return tags, err
}

// shownTags is how many tags are suggested for a missing one.
const shownTags = 5

// suggestTags adds the newest tags of the repository, by version, to the error about a missing tag.
func (e names) suggestTags(ctx context.Context, ref registry.Ref, err error) error {
	named := ref.Transport == registry.TransportRegistry && !ref.Bare && ref.Tag != "" && ref.Digest == (v1.Hash{})
	if hint := registry.Hinter(nil); !named || !errors.Is(err, registry.ErrNotFound) || errors.As(err, &hint) &&
		hint.Hint() != "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tags, failed := e.Tags(ctx, ref)
	// signatures and the like
	tags = slices.DeleteFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, "sha256-") })
	if failed != nil || len(tags) == 0 {
		return err
	}
	slices.Reverse(tags)
	text := strings.Join(tags[:min(len(tags), shownTags)], ", ")
	if more := len(tags) - shownTags; more > 0 {
		text += fmt.Sprintf(" and %d more: mtool tags %s", more, ref.Repository())
	}
	return registry.WithHint(err, ref.Repository()+" has "+text)
}

// Repositories returns the repositories of a registry, as references name them.
func (e *Env) Repositories(ctx context.Context, host string) ([]string, error) {
	names, err := e.Client.Repositories(ctx, host)
	if errors.Is(err, registry.ErrDenied) || errors.Is(err, registry.ErrNotFound) {
		err = registry.WithHint(err, "few public registries list their repositories; mtool tags NAME lists the tags of one")
	}
	for i := range names {
		names[i] = host + "/" + names[i]
	}
	slices.Sort(names)
	return names, err
}

// Deletion is one tag, or a manifest with all tags that point to it.
type Deletion struct {
	Ref    registry.Ref
	Digest v1.Hash
	Tags   []string // of a manifest: they are deleted with it
}

// PlanDeletion looks up what deleting ref deletes: a tag alone, or the manifest of a digest. If a list of the
// repository still needs that manifest, the error wraps registry.ErrConflict.
func (e *Env) PlanDeletion(ctx context.Context, ref registry.Ref) (Deletion, error) {
	ref = ref.At(registry.TransportRegistry)
	repository := e.Client.Repository(ref, remote.Delete)
	m, err := repository.Resolve(ctx, ref)
	if err != nil && !errors.Is(err, registry.ErrContent) { // damaged content can be deleted
		return Deletion{}, err
	}
	d := Deletion{Ref: ref, Digest: m.Digest}
	if ref.Digest == (v1.Hash{}) {
		return d, nil
	}
	d.Digest = ref.Digest
	users, err := repository.UsersOf(ctx, ref.Digest)
	if err != nil {
		return d, fmt.Errorf("looking for lists that need %q: %w", ref, err)
	}
	slices.SortFunc(users.Tags, registry.CompareTags)
	slices.SortFunc(users.Lists, registry.CompareTags)
	d.Tags = users.Tags
	if len(users.Lists) > 0 {
		err := fmt.Errorf("deleting %q: it is an entry of %s, which would be broken: %w", ref,
			strings.Join(users.Lists, ", "), registry.ErrConflict)
		return d, registry.WithHint(err,
			"delete those tags first, or remove the platform from the list: mtool remove --published")
	}
	return d, nil
}

// Delete carries out a deletion.
func (e *Env) Delete(ctx context.Context, d Deletion) error {
	repository := e.Client.Repository(d.Ref, remote.Delete)
	if d.Ref.Digest != (v1.Hash{}) {
		return repository.DeleteManifest(ctx, d.Digest)
	}
	err := repository.DeleteTag(ctx, d.Ref.Tag)
	if errors.Is(err, registry.ErrRefused) && d.Digest != (v1.Hash{}) {
		whole := d.Ref.WithDigest(d.Digest)
		err = registry.WithHint(err,
			fmt.Sprintf("this registry may delete manifests only, with all of their tags: mtool delete %s", whole))
	}
	return err
}
