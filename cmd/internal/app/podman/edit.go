package podman

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/source"
)

// AddOptions are the options of Add.
type AddOptions struct {
	All         bool        // of a source that is a list, every image
	Platform    v1.Platform // what the rows claim; what is not set comes from the images' configs
	Annotations map[string]string
}

// CreateOptions are the options of Create.
type CreateOptions struct {
	AddOptions
	Amend bool // the list may exist
	// ListAnnotations are those of the list itself.
	ListAnnotations map[string]string
}

// Create makes a list, which may be empty, and returns its ID. If it fails, there is no new list.
func (l Lists) Create(ctx context.Context, name string, images []string, o CreateOptions) (string, error) {
	ref, err := parseName(name)
	if err != nil {
		return "", err
	}
	_, err = l.Drafts.Load(ctx, ref)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return idOf(ref), l.createNew(ctx, ref, images, o)
	case err != nil:
		return "", err
	case !o.Amend:
		return "", registry.WithHint(
			fmt.Errorf("creating %q: %w: a list has this name", ref, registry.ErrConflict),
			"--amend adds to it; mtool podman-manifest rm "+name+" removes it")
	}
	if len(images) > 0 {
		if err := l.add(ctx, ref, images, o.AddOptions); err != nil {
			return "", err
		}
	}
	if len(o.ListAnnotations) == 0 {
		return idOf(ref), nil
	}
	_, err = l.Drafts.Update(ctx, ref, func(list compose.List) (compose.List, error) {
		list, _, err := list.AnnotateList(compose.Edit{Annotations: o.ListAnnotations})
		return list, err
	})
	return idOf(ref), err
}

func (l Lists) createNew(ctx context.Context, ref registry.Ref, images []string, o CreateOptions) error {
	if len(images) == 0 {
		return l.Drafts.Save(ctx, compose.List{Name: ref, Annotations: o.ListAnnotations})
	}
	refs, overrides, err := l.sources(ref, images, o.AddOptions)
	if err != nil {
		return err
	}
	_, err = l.Env.Create(ctx, app.CreateOptions{
		EditOptions: app.EditOptions{
			Annotations: o.ListAnnotations, OnDuplicate: string(compose.DuplicateKeep), Force: true,
		},
		List: ref, Sources: refs, Overrides: overrides, DropAnnotations: true,
	})
	if err != nil {
		return explain(err)
	}
	return l.tellDoubts(ctx, ref, refs)
}

// Add adds images to a list and returns its ID.
func (l Lists) Add(ctx context.Context, name string, images []string, o AddOptions) (string, error) {
	list, err := l.find(ctx, name)
	if err != nil {
		return "", err
	}
	return idOf(list.Name), l.add(ctx, list.Name, images, o)
}

func (l Lists) add(ctx context.Context, ref registry.Ref, images []string, o AddOptions) error {
	refs, overrides, err := l.sources(ref, images, o)
	if err != nil {
		return err
	}
	list, err := l.Drafts.Load(ctx, ref)
	if err != nil {
		return err
	}
	// What a source brought before is out of date; another source's image of the same platform is not.
	policy := compose.DuplicateKeep
	if slices.ContainsFunc(list.Sources(), func(s registry.Ref) bool {
		return slices.ContainsFunc(refs, func(r registry.Ref) bool { return r.Name() == s.Name() })
	}) {
		policy = compose.DuplicateReplace
	}
	_, err = l.Amend(ctx, app.AmendOptions{
		EditOptions: app.EditOptions{OnDuplicate: string(policy), Force: true},
		List:        ref, Sources: refs, Overrides: overrides,
	})
	if err != nil {
		return explain(err)
	}
	return l.tellDoubts(ctx, ref, refs)
}

func (l Lists) sources(
	list registry.Ref, images []string, o AddOptions,
) ([]registry.Ref, []compose.Overrides, error) {
	refs, overrides, err := compose.ParseSources(list, images)
	if err != nil {
		return nil, nil, err
	}
	for i := range overrides {
		refs[i] = l.inContainers(refs[i])
		overrides[i] = compose.Overrides{Platform: o.Platform, Annotations: o.Annotations}
		if !o.All {
			overrides[i].Node = node(o.Platform)
		}
	}
	return refs, overrides, nil
}

// inContainers returns the name in podman's store of an image that has podman's kind of name and is not in ours.
func (l Lists) inContainers(ref registry.Ref) registry.Ref {
	if !ref.Local() || ref.Digest != (v1.Hash{}) {
		return ref
	}
	if _, err := l.Store.Find(ref.At(registry.TransportStore)); !errors.Is(err, registry.ErrNotFound) {
		return ref
	}
	if _, err := exec.LookPath("podman"); err != nil {
		return ref
	}
	return ref.At(registry.TransportContainers)
}

// node returns the platform whose image is taken of a list: this machine's, but for what was asked for. Where a list
// serves containers on Windows or a Mac, they run in Linux there too.
func node(asked v1.Platform) v1.Platform {
	host := platform.Host()
	n := v1.Platform{
		OS: cmp.Or(asked.OS, "linux"), Architecture: asked.Architecture, Variant: asked.Variant,
		OSVersion: asked.OSVersion, OSFeatures: asked.OSFeatures,
	}
	if named, err := platform.ParseArch(n.Architecture); err == nil {
		n.Architecture, n.Variant = named.Architecture, cmp.Or(n.Variant, named.Variant)
	}
	if n.Architecture == "" {
		n.Architecture, n.Variant = host.Architecture, cmp.Or(n.Variant, host.Variant)
	}
	return n
}

// explain adds how to get an image of one word from Docker Hub.
func explain(err error) error {
	if errors.Is(err, source.ErrNotBuilt) {
		return registry.WithHint(err, "build or load it first; docker://docker.io/library/NAME is Docker Hub's")
	}
	return err
}

// Annotate changes what the list says of one image, and returns the list's ID. Without an image it changes the list
// itself.
func (l Lists) Annotate(ctx context.Context, name string, o app.AnnotateOptions) (string, error) {
	list, err := l.find(ctx, name)
	if err != nil {
		return "", err
	}
	if o.Nothing() {
		if _, err := list.Select(o.Entry); o.Entry != "" && err != nil {
			return "", fmt.Errorf("annotating %q: %w", list.Name, err)
		}
		return idOf(list.Name), nil
	}
	o.List, o.Edit.Force = list.Name, true
	if _, err := l.Env.Annotate(ctx, o); err != nil {
		return "", err
	}
	return idOf(list.Name), l.tellDoubts(ctx, list.Name, nil)
}

// Remove removes images from a list, even the last one, and returns the list's ID.
func (l Lists) Remove(ctx context.Context, name string, entries []string) (string, error) {
	list, err := l.find(ctx, name)
	if err != nil {
		return "", err
	}
	_, err = l.Drafts.Update(ctx, list.Name, func(list compose.List) (compose.List, error) {
		for _, entry := range entries {
			found, err := list.Select(entry)
			if err != nil {
				return list, fmt.Errorf("removing from %q: %w", list.Name, err)
			}
			left := []compose.Entry{}
			for i, e := range list.Entries {
				if !slices.Contains(found, i) {
					left = append(left, e)
				}
			}
			list.Entries = left
		}
		return list, nil
	})
	return idOf(list.Name), err
}

// tellDoubts notes what podman takes without a word: of which of the added sources only one image was taken, and what
// is doubtful in the list.
func (l Lists) tellDoubts(ctx context.Context, ref registry.Ref, added []registry.Ref) error {
	list, err := l.Drafts.Load(ctx, ref)
	if err != nil {
		return err
	}
	taken := map[registry.Ref]int{}
	for _, e := range list.Entries {
		if e.SourceDigest != e.Digest() && e.OriginalDigest == (v1.Hash{}) {
			taken[e.Source]++
		}
	}
	for source, images := range taken {
		isNew := slices.ContainsFunc(added, func(r registry.Ref) bool { return r.Name() == source.Name() })
		if images == 1 && isNew {
			l.note("note: %s is a list, and one image of it was taken; --all takes all", source)
		}
	}
	l.SayDoubts(list)
	return nil
}
