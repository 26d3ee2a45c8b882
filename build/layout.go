package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
)

// readAll reads every layout's manifest and makes sure that its config says the platform that was asked for.
func readAll(s Spec, layouts []Layout) ([]Image, error) {
	images := make([]Image, len(layouts))
	for i, l := range layouts {
		want := s.Platforms[i]
		m, have, err := readImage(l)
		if err != nil {
			return nil, fmt.Errorf("reading the image built for %s: %w", platform.Format(want), err)
		}
		if !platform.Equal(have, want) {
			return nil, fmt.Errorf("building %s: %w: the image's config says %s", platform.Format(want), registry.ErrContent, platform.Format(have))
		}
		images[i] = Image{Platform: want, Ref: s.Name(want), Manifest: m, Emulator: l.Emulator}
	}
	return images, nil
}

// readImage reads the root of a layout: an image or, when BuildKit made attestations, a list of it and them.
func readImage(l Layout) (registry.Manifest, v1.Platform, error) {
	root, err := readManifest(l.Dir, l.Root)
	if err != nil {
		return root, v1.Platform{}, err
	}
	m := root
	if root.IsList() {
		if m, err = attested(l.Dir, root); err != nil {
			return root, v1.Platform{}, err
		}
	}
	if !m.IsImage() {
		return m, v1.Platform{}, fmt.Errorf("%w: it is %s, not an image", registry.ErrContent, m.MediaType)
	}
	p, err := configPlatform(l.Dir, m)
	return root, p, err
}

// attested is the one image in a list of it and its attestations.
func attested(dir string, root registry.Manifest) (registry.Manifest, error) {
	var list struct{ Manifests []v1.Descriptor }
	if err := json.Unmarshal(root.Body, &list); err != nil {
		return root, fmt.Errorf("decoding list %s: %w", root.Digest, err)
	}
	var images []v1.Descriptor
	for _, d := range list.Manifests {
		if _, attestation := inspect.AttestationOf(d); !attestation {
			images = append(images, d)
		}
	}
	if len(images) != 1 || len(list.Manifests) == 1 {
		return root, fmt.Errorf("%w: it is a list of %d images, not one image with its attestations", registry.ErrContent, len(images))
	}
	return readManifest(dir, images[0])
}

func readManifest(dir string, d v1.Descriptor) (registry.Manifest, error) {
	body, err := readBlob(dir, d.Digest)
	if err != nil {
		return registry.Manifest{}, err
	}
	return registry.NewManifest(d.MediaType, body)
}

func configPlatform(dir string, m registry.Manifest) (v1.Platform, error) {
	var manifest struct{ Config v1.Descriptor }
	if err := json.Unmarshal(m.Body, &manifest); err != nil {
		return v1.Platform{}, fmt.Errorf("decoding manifest %s: %w", m.Digest, err)
	}
	body, err := readBlob(dir, manifest.Config.Digest)
	if err != nil {
		return v1.Platform{}, err
	}
	var p v1.Platform // a config spells the members of its platform as a descriptor's platform does
	if err := json.Unmarshal(body, &p); err != nil {
		return v1.Platform{}, fmt.Errorf("decoding config %s: %w", manifest.Config.Digest, err)
	}
	return p, nil
}

// maxBlob is far over what a manifest or a config has.
const maxBlob = 64 << 20

// readBlob reads a small blob whole and compares its bytes with its digest.
func readBlob(dir string, digest v1.Hash) ([]byte, error) {
	body, err := regular.Read(filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex), maxBlob)
	if err != nil {
		return nil, err
	}
	if m, err := registry.NewManifest("application/octet-stream", body); err != nil || m.Digest != digest {
		return nil, fmt.Errorf("%w: blob %s has the bytes of %s", registry.ErrContent, digest, m.Digest)
	}
	return body, nil
}

// output is the folder that a worker exports into. A blob that the local store has is linked in, and the worker, told
// that it is there, does not send it again: base layers and cached steps are not moved. What is in the folder gets
// verified before it is stored, links too.
type output struct {
	content.Store
	dir, store string // both are OCI layouts
}

func newOutput(dir, store string) (content.Store, error) {
	blobs, err := contentlocal.NewStore(dir)
	if err != nil {
		return nil, err
	}
	return output{Store: blobs, dir: dir, store: store}, os.MkdirAll(filepath.Join(dir, "blobs", digest.Canonical.String()), 0o755)
}

// Writer is asked for each blob, first thing.
func (o output) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var w content.WriterOpts
	for _, opt := range opts {
		if err := opt(&w); err != nil {
			return nil, err
		}
	}
	if d := w.Desc.Digest; d.Validate() == nil {
		blob := filepath.Join("blobs", d.Algorithm().String(), d.Encoded())
		_ = os.Link(filepath.Join(o.store, blob), filepath.Join(o.dir, blob)) // when it fails the blob is sent
	}
	return o.Store.Writer(ctx, opts...)
}
