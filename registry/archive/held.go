package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// attested is the annotation of BuildKit's attestations: the digest of the image that they describe.
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
const attested = "vnd.docker.reference.digest"

// keepHeld reduces the list of o to the images that the file holds. Docker Engine with the containerd store saves whole
// lists, but the content of the pulled platforms only. If the file holds one image of several, that image is the root;
// if more, a list of them with unchanged rows is.
func keepHeld(ctx context.Context, o *registry.Object) error {
	var list struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(o.Root.Body, &list); err != nil {
		return fmt.Errorf("reading the list: %w: %w", registry.ErrContent, err)
	}
	var kept []json.RawMessage
	var images []registry.Manifest
	for _, raw := range list.Manifests {
		var row v1.Descriptor
		if err := json.Unmarshal(raw, &row); err != nil {
			return fmt.Errorf("reading the list: %w: %w", registry.ErrContent, err)
		}
		m, err := o.Source.Manifest(ctx, row)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			o.Missing = append(o.Missing, row)
			continue
		case err != nil:
			return err
		case m.IsImage() && row.Annotations[attested] == "":
			images = append(images, m)
		}
		kept = append(kept, raw)
	}
	switch {
	case len(o.Missing) == 0, len(images) == 0: // complete, or nothing to keep
		o.Missing = nil
	case len(images) == 1:
		o.Root = images[0]
	default:
		return setRoot(o, kept)
	}
	return nil
}

// setRoot makes the list of these rows the root, with the list's other members unchanged.
func setRoot(o *registry.Object, rows []json.RawMessage) error {
	var members map[string]json.RawMessage
	err := json.Unmarshal(o.Root.Body, &members)
	if err == nil {
		members["manifests"], err = json.Marshal(rows)
	}
	if err != nil {
		return fmt.Errorf("reading the list: %w: %w", registry.ErrContent, err)
	}
	body, err := json.Marshal(members)
	if err != nil {
		return err
	}
	root, err := registry.NewManifest(o.Root.MediaType, body)
	if err != nil {
		return err
	}
	o.Root, o.Source = root, rooted{o.Source, root}
	return nil
}

// rooted is a source with a root manifest that no file holds.
type rooted struct {
	registry.Source
	root registry.Manifest
}

// Manifest implements registry.Source.
func (r rooted) Manifest(ctx context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if d.Digest == r.root.Digest {
		return r.root, nil
	}
	return r.Source.Manifest(ctx, d)
}
