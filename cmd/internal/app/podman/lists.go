package podman

import (
	"context"
	"encoding/json"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/compose/publish"
	"mtool/registry"
	"mtool/registry/source"
)

// PushOptions are the options of Push.
type PushOptions struct {
	Dest string // where to; "" means the name of the list
	// Type is that of the list and its images: TypeAuto leaves the images as they are.
	Type compose.Type
	Rm   bool // remove the list when it is pushed
	// Compression is that of the layers; its Convert is instead of Type.
	Compression publish.Compression
}

// Push publishes a list with all its images. A platform that two images have is an error: podman's clients would take
// either. What a config denies is noted, and pushed.
func (l Lists) Push(ctx context.Context, name string, o PushOptions) (publish.Done, error) {
	list, err := l.find(ctx, name)
	if err != nil {
		return publish.Done{}, err
	}
	if err := list.Distinct(); err != nil {
		return publish.Done{}, registry.WithHint(err, "mtool podman-manifest annotate or remove one of them")
	}
	push := app.PushOptions{
		PublishOptions: app.PublishOptions{MayDrop: true, Compression: o.Compression},
		List:           list.Name.At(registry.TransportDraft), Force: true, Purge: o.Rm, Type: o.Type,
	}
	if o.Compression.Convert != "" {
		push.Type = compose.TypeAuto
	}
	if o.Dest != "" {
		dest, err := registry.ParseRef(o.Dest)
		if err != nil {
			return publish.Done{}, err
		}
		push.Dests = []registry.Ref{dest}
	}
	if err := l.arrange(ctx, list.Name, o.Type); err != nil {
		return publish.Done{}, err
	}
	return l.Env.Push(ctx, push)
}

// Inspect returns a list as it would be pushed, or else the one that a registry has under the name.
func (l Lists) Inspect(ctx context.Context, name string) ([]byte, error) {
	list, err := l.find(ctx, name)
	switch {
	case err == nil && len(list.Entries) == 0:
		return emptyList(list)
	case err == nil:
		root, err := list.Encode()
		return root.Body, err
	case !errors.Is(err, registry.ErrNotFound):
		return nil, err
	}
	ref, parseErr := registry.ParseRef(name)
	if parseErr != nil || ref.Bare {
		return nil, err
	}
	return l.Raw(ctx, ref, source.FromRegistry)
}

func emptyList(list compose.List) ([]byte, error) {
	return json.Marshal(v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}, Annotations: list.Annotations,
	})
}

// Exists returns registry.ErrNotFound if there is no list of this name.
func (l Lists) Exists(ctx context.Context, name string) error {
	_, err := l.find(ctx, name)
	return err
}

// Removed is a list that Rm has removed.
type Removed struct{ Name, ID string }

// Rm removes lists. Missing ones don't stop it.
func (l Lists) Rm(ctx context.Context, names []string) ([]Removed, error) {
	var removed []Removed
	var errs []error
	for _, name := range names {
		list, err := l.find(ctx, name)
		if err == nil {
			err = l.Drafts.Remove(ctx, list.Name)
		}
		if err == nil {
			removed = append(removed, Removed{list.Name.Name(), idOf(list.Name)})
		}
		errs = append(errs, err)
	}
	return removed, errors.Join(errs...)
}
