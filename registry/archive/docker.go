package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
	"mtool/registry/compression"
)

// dockerManifest lists the images of a Docker archive:
// https://github.com/moby/moby/blob/v28.0.0/image/spec/v1.2.md#combined-image-json--filesystem-changeset-format
const dockerManifest = "manifest.json"

// maxJSON is the size that registries refuse too.
const maxJSON = 8 << 20

type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// openDocker makes an OCI manifest for the chosen image, since the archive has none. Config and layers stay as they
// are, and the manifest depends on nothing else, so one archive always has one digest.
func openDocker(ctx context.Context, ref registry.Ref, files *tarFS) (registry.Object, error) {
	images, err := dockerImages(files)
	if err != nil {
		return registry.Object{}, err
	}
	if ref.Digest != (v1.Hash{}) {
		return dockerByDigest(ctx, ref, files, images)
	}
	var choices []choice
	for _, image := range images {
		choices = append(choices, choice{names: image.RepoTags, key: image.Config})
	}
	i, err := choose(ref, choices)
	if err != nil {
		return registry.Object{}, err
	}
	s, err := newDockerSource(ctx, files, ref.Path, images[i])
	if err != nil {
		return registry.Object{}, err
	}
	return registry.Object{Ref: ref, Root: s.manifest, Source: s, Names: images[i].RepoTags}, nil
}

func dockerImages(files *tarFS) ([]dockerImage, error) {
	data, err := registry.ReadFile(files, dockerManifest, maxJSON)
	if err != nil {
		return nil, err
	}
	if err := registry.CheckDockerArchive(data); err != nil {
		return nil, fmt.Errorf("reading its %s: %w", dockerManifest, err)
	}
	var images []dockerImage
	if err := json.Unmarshal(data, &images); err != nil {
		return nil, registry.WithKind(fmt.Errorf("reading its %s: %w", dockerManifest, err), registry.ErrContent)
	}
	return images, nil
}

func dockerByDigest(
	ctx context.Context, ref registry.Ref, files *tarFS, images []dockerImage,
) (registry.Object, error) {
	for _, image := range images {
		s, err := newDockerSource(ctx, files, ref.Path, image)
		if err != nil {
			return registry.Object{}, err
		}
		if s.manifest.Digest == ref.Digest {
			return registry.Object{Ref: ref, Root: s.manifest, Source: s}, nil
		}
	}
	return registry.Object{}, registry.WithKind(errors.New("no image in it has this digest"), registry.ErrNotFound)
}

// newDockerSource reads the config, which holds the digests of uncompressed layers; only compressed layers must be read
// for their digests.
func newDockerSource(ctx context.Context, files *tarFS, place string, image dockerImage) (*dockerSource, error) {
	if err := files.checkRegular(clean(image.Config)); err != nil {
		return nil, err
	}
	config, err := registry.ReadFile(files, clean(image.Config), maxJSON)
	if err != nil {
		return nil, missing(image.Config, err)
	}
	if err := registry.CheckConfig(config); err != nil {
		return nil, fmt.Errorf("reading config %q: %w", image.Config, err)
	}
	var c struct {
		RootFS v1.RootFS `json:"rootfs"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, registry.WithKind(fmt.Errorf("reading config %q: %w", image.Config, err), registry.ErrContent)
	}
	if len(c.RootFS.DiffIDs) != len(image.Layers) {
		return nil, fmt.Errorf("its %s names %d layers, the config %q has %d: %w",
			dockerManifest, len(image.Layers), image.Config, len(c.RootFS.DiffIDs), registry.ErrContent)
	}
	s := &dockerSource{files: files, name: map[v1.Hash]string{}, archive: place}
	var layers []v1.Descriptor
	for i, name := range image.Layers {
		d, err := describeLayer(ctx, files, clean(name), c.RootFS.DiffIDs[i])
		if err != nil {
			return nil, fmt.Errorf("reading layer %q: %w", name, err)
		}
		s.name[d.Digest] = clean(name)
		layers = append(layers, d)
	}
	return s, s.makeManifest(clean(image.Config), config, layers)
}

func missing(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return registry.WithKind(fmt.Errorf("its %s names %q, which it does not hold", dockerManifest, name),
			registry.ErrContent)
	}
	return fmt.Errorf("reading %q: %w", name, err)
}

// describeLayer returns a layer's descriptor; the first bytes show whether it is compressed.
func describeLayer(ctx context.Context, files *tarFS, name string, diffID v1.Hash) (v1.Descriptor, error) {
	f, err := files.Open(name)
	if err != nil {
		return v1.Descriptor{}, missing(name, err)
	}
	info, err := f.Stat()
	if err != nil {
		return v1.Descriptor{}, err
	}
	head := make([]byte, compression.HeadSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return v1.Descriptor{}, err
	}
	d := v1.Descriptor{MediaType: types.OCIUncompressedLayer, Digest: diffID, Size: info.Size()}
	switch kind := compression.Name(head[:n]); kind {
	case "":
		return d, nil
	case compression.Gzip:
		d.MediaType = types.OCILayer
	case compression.Zstd:
		d.MediaType = types.OCILayerZStd
	default:
		return v1.Descriptor{}, registry.WithKind(fmt.Errorf("it is compressed with %s, which images can't be", kind),
			registry.ErrContent)
	}
	d.Digest, err = hashOf(ctx, files, name)
	return d, err
}

func hashOf(ctx context.Context, files *tarFS, name string) (v1.Hash, error) {
	f, err := files.Open(name)
	if err != nil {
		return v1.Hash{}, err
	}
	work := registry.Work{Doing: "hashing", Name: name}
	if info, err := f.Stat(); err == nil {
		work.Size = info.Size()
	}
	ctx, task := registry.Begin(ctx, work)
	h, _, err := v1.SHA256(registry.Counted(ctx, io.NopCloser(f)))
	task.End(registry.Copied, err)
	return h, errors.Join(err, ctx.Err())
}
