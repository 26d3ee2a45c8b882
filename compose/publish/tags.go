package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/registry"
)

// tagger is a registry.Target that can look up its tags, such as *remote.Repository. Other targets are written
// without a look at their tags.
type tagger interface {
	// Tag returns what a tag is. A missing tag is registry.ErrNotFound. Damaged content is returned with an error that
	// wraps registry.ErrContent.
	Tag(ctx context.Context, tag string) (registry.Manifest, error)
	// PutTagIf is PutTag on the condition that the tag still is was (zero: does not exist). Otherwise the error wraps
	// registry.ErrConflict, if the target can check that.
	PutTagIf(ctx context.Context, tag string, m registry.Manifest, was v1.Hash) error
}

// severalTagger is a registry.Target that can write several tags at once, such as *remote.Repository.
type severalTagger interface {
	// PutTags reports whether all tags were written, which some targets can't do at once.
	PutTags(ctx context.Context, tags []string, m registry.Manifest) (bool, error)
}

// guardFixed refuses to move fixed tags.
func (w *upload) guardFixed(existing map[string]v1.Descriptor) error {
	for _, t := range w.Tags {
		d := existing[t.Name]
		if t.Fixed && d.Digest != (v1.Hash{}) && d.Digest != w.Root.Digest {
			return fmt.Errorf("%w: %q is %s, and this is %s", ErrTaken, w.Repository.WithTag(t.Name), d.Digest, w.Root.Digest)
		}
	}
	return nil
}

// state looks up the tags whose state is not known.
func (w *upload) state(ctx context.Context) (map[string]v1.Descriptor, error) {
	found := make([]v1.Descriptor, len(w.Tags))
	tagged, ok := w.target.(tagger)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.options.Concurrency)
	for i, t := range w.Tags {
		known, asked := w.options.Existing[t.Name]
		if found[i] = known; asked || !ok {
			continue
		}
		g.Go(func() (err error) {
			found[i], err = lookUp(ctx, tagged, t.Name)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	existing := map[string]v1.Descriptor{}
	for i, t := range w.Tags {
		existing[t.Name] = found[i]
	}
	return existing, nil
}

// lookUp is Tag with a zero descriptor for a missing tag. Damaged content may be overwritten.
func lookUp(ctx context.Context, t tagger, tag string) (v1.Descriptor, error) {
	m, err := t.Tag(ctx, tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return v1.Descriptor{}, nil
	case err != nil && !errors.Is(err, registry.ErrContent):
		return v1.Descriptor{}, err
	}
	return m.Descriptor(), nil
}

func (w *upload) guardLists(existing map[string]v1.Descriptor) error {
	if w.Root.IsList() {
		return nil
	}
	for _, t := range w.Tags {
		if d := existing[t.Name]; d.MediaType.IsIndex() {
			return fmt.Errorf("%w: %q is the list %s, and this is a single image", ErrOverwrite,
				w.Repository.WithTag(t.Name), d.Digest)
		}
	}
	return nil
}

// tags writes them one by one: some registries refuse one manifest put twice at the same time.
// https://github.com/GoogleContainerTools/jib/issues/2470
func (w *upload) tags(ctx context.Context) error {
	if len(w.Tags) == 0 {
		return w.target.PutManifest(ctx, w.Root)
	}
	together, err := w.putTags(ctx)
	if err != nil {
		return err
	}
	for _, t := range w.todo {
		if err := w.guardBase(ctx, t); err != nil {
			return err
		}
		if !together {
			if err := w.putTag(ctx, t); err != nil {
				return fmt.Errorf("writing tag %q: %w", t.Name, err)
			}
		}
		if err := w.confirmTag(ctx, t); err != nil {
			return err
		}
		w.result.Tags = append(w.result.Tags, t.Name)
	}
	return nil
}

// putTags writes several tags by one request, where the target can do that and no tag has a condition: no client sees
// some of them moved and others not.
func (w *upload) putTags(ctx context.Context) (bool, error) {
	target, ok := w.target.(severalTagger)
	if !ok || len(w.todo) < 2 ||
		slices.ContainsFunc(w.todo, func(t compose.Tag) bool { return t.Fixed || t.Base != (v1.Hash{}) }) {
		return false, nil
	}
	var names []string
	for _, t := range w.todo {
		names = append(names, t.Name)
	}
	all, err := target.PutTags(ctx, names, w.Root)
	if err != nil {
		return false, fmt.Errorf("writing tags %s: %w", strings.Join(names, ", "), err)
	}
	return all, nil
}

// putTag writes a tag on the condition that it is what the guards have seen: registries that honour conditions close
// the gap between check and write. For a missing tag that matters only if the tag is fixed.
func (w *upload) putTag(ctx context.Context, t compose.Tag) error {
	tagged, ok := w.target.(tagger)
	was := t.Base
	if was == (v1.Hash{}) {
		was = w.existing[t.Name].Digest
	}
	if !ok || w.options.Force || was == (v1.Hash{}) && !t.Fixed {
		return w.target.PutTag(ctx, t.Name, w.Root)
	}
	return tagged.PutTagIf(ctx, t.Name, w.Root, was)
}

// guardBase looks up once more the tag that the list derives from.
func (w *upload) guardBase(ctx context.Context, t compose.Tag) error {
	tagged, ok := w.target.(tagger)
	if t.Base == (v1.Hash{}) || !ok {
		return nil
	}
	now, err := lookUp(ctx, tagged, t.Name)
	if err != nil {
		return err
	}
	switch now.Digest {
	case t.Base:
		return nil
	case v1.Hash{}:
		err = fmt.Errorf("%w: tag %q was %s and is gone", compose.ErrMoved, t.Name, t.Base)
	default:
		err = fmt.Errorf("%w: tag %q was %s and is %s now", compose.ErrMoved, t.Name, t.Base, now.Digest)
	}
	return registry.WithHint(err, "someone else has changed it: look at what it is now, and repeat the edit")
}

// childTags names the children. A tag that has another child's digest is moved: it belongs to the list.
func (w *upload) childTags(ctx context.Context) error {
	tagged, ok := w.target.(tagger)
	return w.each(ctx, len(w.ChildTags), func(ctx context.Context, i int) error {
		t := w.ChildTags[i]
		if ok {
			if now, err := lookUp(ctx, tagged, t.Name); err != nil || now.Digest == t.Manifest.Digest {
				return err
			}
		}
		if err := w.target.PutTag(ctx, t.Name, t.Manifest); err != nil {
			return fmt.Errorf("writing tag %q of %s: %w", t.Name, t.Manifest.Digest, err)
		}
		return nil
	})
}

// confirmTag checks that the tag is what was just written.
func (w *upload) confirmTag(ctx context.Context, t compose.Tag) error {
	tagger, ok := w.target.(tagger)
	if !w.options.Confirm || !ok {
		return nil
	}
	var now registry.Manifest
	err := registry.Await(ctx, func() (err error) {
		now, err = tagger.Tag(ctx, t.Name)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("confirming tag %q: %w", t.Name, err)
	case now.Digest != w.Root.Digest:
		return fmt.Errorf("confirming tag %q: %w: it is %s now, %s was written", t.Name, compose.ErrMoved, now.Digest,
			w.Root.Digest)
	}
	return nil
}
