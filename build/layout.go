package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	contentlocal "github.com/containerd/containerd/v2/plugins/content/local"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	digest "github.com/opencontainers/go-digest"

	"mtool/inspect"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// Image is one image in the store.
type Image struct {
	Platform v1.Platform
	Ref      registry.Ref // in the store
	Manifest registry.Manifest
	Emulator string // of its steps: "" if native, else QEMU's name of the architecture
	Ran      bool   // it has RUN steps, run now or earlier
	Taken    bool   // from Options.Reuse
}

// Verb says what was done to get the image.
func (i Image) Verb() string {
	if i.Taken {
		return "took"
	}
	return "built"
}

// How says in a few words how the image was made.
func (i Image) How() string {
	switch {
	case i.Taken:
		return "unchanged"
	case i.Emulator != "":
		return "emulated by qemu-" + i.Emulator
	case i.Ran:
		return "natively"
	}
	return "nothing to run"
}

// Layout is one exported image.
type Layout struct {
	Dir      string        // an OCI layout
	Root     v1.Descriptor // the image's manifest within
	Emulator string        // as in Image
	Ran      bool
	Err      error // why an optional platform has no layout

	taken *Image // verified before; nil: it was built
}

// object opens the content of a layout. Its bytes are verified as they are read.
func (l Layout) object(ref registry.Ref, root registry.Manifest) registry.Object {
	return registry.Object{Ref: ref, Root: root, Source: store.NewReader(regular.DirFS(l.Dir), l.Dir)}
}

// image reads the root of a layout, an image or, when BuildKit made attestations, a list of it and them, and the
// platform that the image's config states.
func (l Layout) image(ctx context.Context, ref registry.Ref) (root registry.Manifest, p v1.Platform, err error) {
	object := l.object(ref, root)
	if object.Root, err = object.Source.Manifest(ctx, l.Root); err != nil {
		return root, p, err
	}
	report, err := inspect.Read(ctx, object)
	if err != nil {
		return root, p, err
	}
	if len(report.Images) != 1 || report.List != nil && len(report.Images[0].Attestations) == 0 {
		return root, p, fmt.Errorf("%w: it is %s of %d images, not one image, with attestations or without",
			registry.ErrContent, object.Root.MediaType, len(report.Images))
	}
	return object.Root, report.Images[0].Config, report.Images[0].Err
}

// Difference names the first part of the image that differs from another build of it; "" if none does.
func (i Image) Difference(original inspect.Image) (string, error) {
	if original.Manifest.Digest == i.Manifest.Digest {
		return "", nil
	}
	manifest, err := i.Manifest.Refs()
	if err != nil {
		return "", err
	}
	what := "its config or annotations"
	for n, layer := range manifest.Layers {
		if n >= len(original.Layers) || layer.Digest != original.Layers[n].Digest {
			what = fmt.Sprintf("layer %d of %d", n+1, len(manifest.Layers))
			break
		}
	}
	if len(manifest.Layers) < len(original.Layers) {
		what = fmt.Sprintf("%d layers instead of %d", len(manifest.Layers), len(original.Layers))
	}
	return what, nil
}

// output is the folder that a worker exports into. A blob in the local store is linked into it, so the worker does
// not send it: base layers and cached steps are not moved. Everything in the folder is verified before it is stored,
// links too.
type output struct {
	content.Store
	dir, store string // both are OCI layouts
}

func newOutput(dir, store string) (content.Store, error) {
	blobs, err := contentlocal.NewStore(dir)
	if err != nil {
		return nil, err
	}
	return output{Store: blobs, dir: dir, store: store},
		os.MkdirAll(filepath.Join(dir, "blobs", digest.Canonical.String()), 0o755)
}

// Writer is called first for each blob.
func (o output) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var w content.WriterOpts
	for _, opt := range opts {
		if err := opt(&w); err != nil {
			return nil, err
		}
	}
	if d := w.Desc.Digest; d.Validate() == nil {
		blob := filepath.Join("blobs", d.Algorithm().String(), d.Encoded())
		_ = os.Link(filepath.Join(o.store, blob), filepath.Join(o.dir, blob)) // if it fails the blob is sent
	}
	return o.Store.Writer(ctx, opts...)
}
