package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/compose"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/registry"
)

// DockerManifest is what "docker manifest inspect" shows of one name.
type DockerManifest struct {
	Report inspect.Report
	// Entry is the one image asked for, nil for all.
	Entry *inspect.Image
}

// Unread is why an image that is shown in full can't be: its manifest, or the config that alone states its platform.
func (d DockerManifest) Unread() error {
	images := d.Report.Images
	if d.Entry != nil {
		images = []inspect.Image{*d.Entry}
	}
	var errs []error
	for _, image := range images {
		if image.Manifest.Body == nil || image.Descriptor.Platform == nil {
			errs = append(errs, image.Err)
		}
	}
	return errors.Join(errs...)
}

// ManifestCreate is docker manifest create: a draft, which is only changed when it is there already if amend says so.
// Sources are looked for in the store and in registries, docker's one-word names too.
func (e *Env) ManifestCreate(ctx context.Context, list registry.Ref, words []string, amend bool) (publish.Done, error) {
	refs, stated, err := e.dockerSources(ctx, list, words)
	if err != nil {
		return publish.Done{}, err
	}
	_, err = e.Drafts.Load(ctx, list)
	switch {
	case err == nil && !amend:
		return publish.Done{}, registry.WithHint(
			fmt.Errorf("creating %q: %w: refusing to amend an existing manifest list with no --amend flag", list,
				registry.ErrConflict),
			"mtool manifest create --amend LIST MANIFEST…, or begin anew after mtool manifest rm LIST",
		)
	case err == nil:
		return e.Amend(ctx, AmendOptions{List: list, Sources: refs, Overrides: stated})
	case !errors.Is(err, registry.ErrNotFound):
		return publish.Done{}, err
	}
	return e.Create(ctx, CreateOptions{List: list, Sources: refs, Overrides: stated})
}

// dockerSources are names as docker has them: what is not in the store is in a registry, and a word alone on Docker
// Hub.
func (e names) dockerSources(
	ctx context.Context, list registry.Ref, words []string,
) ([]registry.Ref, []compose.Overrides, error) {
	refs, stated, err := ParseSources(list, words)
	if err != nil {
		return nil, nil, registry.Usagef("%w", err)
	}
	for i, ref := range refs {
		if !ref.Local() {
			continue
		}
		object, err := e.Store.Get(ctx, ref.At(registry.TransportStore))
		if err == nil {
			if err := object.Close(); err != nil {
				return nil, nil, err
			}
			continue
		}
		if !errors.Is(err, registry.ErrNotFound) {
			return nil, nil, err
		}
		if refs[i], err = registry.ParseRef("docker://" + ref.Name()); err != nil {
			return nil, nil, err
		}
	}
	return refs, stated, nil
}

// ManifestInspect is docker manifest inspect: a draft of that name, or else what inspect finds. With an entry, that
// image of the list.
func (e names) ManifestInspect(ctx context.Context, name registry.Ref, entry string) (DockerManifest, error) {
	list, err := e.Drafts.Load(ctx, name)
	switch {
	case err == nil:
		e.note("note: %s is a draft here, not what a registry may have", name.Familiar())
		return e.inspectDraft(ctx, list, entry)
	case !errors.Is(err, registry.ErrNotFound):
		return DockerManifest{}, err
	}
	object, report, err := e.readOne(ctx, name, lookup(""))
	if err != nil {
		return DockerManifest{}, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	if entry == "" {
		return DockerManifest{Report: report}, nil
	}
	if list, _, err = compose.FromPublished(report); err != nil {
		return DockerManifest{}, err
	}
	return selected(list, report, entry)
}

func (e names) inspectDraft(ctx context.Context, list compose.List, entry string) (DockerManifest, error) {
	list, all, err := e.resolve(ctx, list)
	if err != nil {
		return DockerManifest{}, err
	}
	defer all.Close() //nolint:errcheck // opened for reading only
	report, err := list.Report()
	if err != nil {
		return DockerManifest{}, err
	}
	if entry == "" {
		return DockerManifest{Report: report}, nil
	}
	return selected(list, report, entry)
}

func selected(list compose.List, report inspect.Report, entry string) (DockerManifest, error) {
	found, err := list.Select(entry)
	switch {
	case err != nil:
		return DockerManifest{}, fmt.Errorf("looking into %q: %w", list.Name, err)
	case len(found) > 1:
		return DockerManifest{}, fmt.Errorf("looking into %q: %w: %q is %d entries", list.Name, compose.ErrAmbiguous, entry,
			len(found))
	}
	return DockerManifest{Report: report, Entry: list.Entries[found[0]].Image}, nil
}
