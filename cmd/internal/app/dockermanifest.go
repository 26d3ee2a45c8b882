package app

import (
	"context"
	"errors"
	"fmt"

	"mtool/compose"
	"mtool/inspect"
	"mtool/registry"
)

// DockerManifest is what "docker manifest inspect" shows of one name.
type DockerManifest struct {
	Report inspect.Report
	// Entry is the image to show; nil means all.
	Entry *inspect.Image
}

// Unread returns why an image can't be shown in full: its manifest can't be read, or the config that alone has its
// platform.
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

// DockerSources parses sources as docker does: what is not in the store is in a registry, and a name without a registry
// is on Docker Hub.
func (e names) DockerSources(
	ctx context.Context, list registry.Ref, args []string,
) ([]registry.Ref, []compose.Overrides, error) {
	refs, overrides, err := compose.ParseSources(list, args)
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
		if err := ref.CheckHub(); err != nil {
			return nil, nil, err
		}
		if refs[i], err = registry.ParseRef("docker://" + ref.Name()); err != nil {
			return nil, nil, err
		}
	}
	return refs, overrides, nil
}

// ManifestInspect is docker manifest inspect: it reads the draft of that name, or else what Inspect would read. With an
// entry, it selects that image of the list.
func (e names) ManifestInspect(ctx context.Context, name registry.Ref, entry string) (DockerManifest, error) {
	list, err := e.Drafts.Load(ctx, name)
	switch {
	case err == nil:
		e.note("note: %s is a draft, not the list in its registry", name.Familiar())
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

// selected returns one entry of a list.
func selected(list compose.List, report inspect.Report, entry string) (DockerManifest, error) {
	found, err := list.Select(entry)
	switch {
	case err != nil:
		return DockerManifest{}, fmt.Errorf("selecting an entry of %q: %w", list.Name, err)
	case len(found) > 1:
		return DockerManifest{}, fmt.Errorf("selecting an entry of %q: %w: %q matches %d entries", list.Name,
			compose.ErrAmbiguous, entry, len(found))
	}
	return DockerManifest{Report: report, Entry: list.Entries[found[0]].Image}, nil
}
