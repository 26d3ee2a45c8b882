package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/mod/semver"

	"mtool/registry"
	"mtool/registry/remote"
)

// Tags returns the tags of ref's repository, semantic versions last and in their order: v1.9.0 comes before v1.10.0.
func (e names) Tags(ctx context.Context, ref registry.Ref) ([]string, error) {
	tags, err := e.Client.Repository(ref.At(registry.TransportRegistry), remote.Pull).Tags(ctx)
	slices.SortFunc(tags, byVersion)
	return tags, err
}

// shownTags is how many tags are suggested for one that is not there.
const shownTags = 5

// suggestTags adds the newest tags of a repository, by their versions, to the error of one that it does not have.
func (e names) suggestTags(ctx context.Context, ref registry.Ref, err error) error {
	named := ref.Transport == registry.TransportRegistry && !ref.Bare && ref.Tag != "" && ref.Digest == (v1.Hash{})
	if hint := registry.Hinter(nil); !named || !errors.Is(err, registry.ErrNotFound) || errors.As(err, &hint) &&
		hint.Hint() != "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tags, missing := e.Tags(ctx, ref)
	// attached to digests
	tags = slices.DeleteFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, "sha256-") })
	if missing != nil || len(tags) == 0 {
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

// byVersion orders semantic versions as such, with or without "v", after all other names.
func byVersion(a, b string) int {
	x, y := "v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")
	switch isVersion := semver.IsValid(x); {
	case isVersion != semver.IsValid(y) && isVersion:
		return 1
	case isVersion != semver.IsValid(y):
		return -1
	}
	return cmp.Or(semver.Compare(x, y), strings.Compare(a, b)) // those that are none are equal to Compare
}

// Deletion is what Delete is to remove, or has removed: one tag, or a manifest with all tags that point to it.
type Deletion struct {
	Ref    registry.Ref
	Digest v1.Hash
	Tags   []string // of a manifest: those that go with it
}

// PlanDeletion reads what ref is. A tag is deleted by itself, a digest with its manifest. A manifest that a list of the
// repository still needs is an ErrConflict.
func (e *Env) PlanDeletion(ctx context.Context, ref registry.Ref) (Deletion, error) {
	ref = ref.At(registry.TransportRegistry)
	repository := e.Client.Repository(ref, remote.Delete)
	m, err := repository.Resolve(ctx, ref)
	if err != nil && !errors.Is(err, registry.ErrContent) { // what is damaged may go
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
	slices.SortFunc(users.Tags, byVersion)
	slices.SortFunc(users.Lists, byVersion)
	d.Tags = users.Tags
	if len(users.Lists) > 0 {
		err := fmt.Errorf("deleting %q: it is an entry of %s, which would be broken: %w", ref,
			strings.Join(users.Lists, ", "), registry.ErrConflict)
		return d, registry.WithHint(err,
			"delete those tags first, or remove the platform from the list: mtool remove --published")
	}
	return d, nil
}

// Delete carries a deletion out.
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
