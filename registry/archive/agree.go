package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/store"
)

// maxDepth limits how deep lists may be nested.
const maxDepth = 8

// agree refuses a file whose two tables of contents name different images: docker load and skopeo read manifest.json,
// containerd and podman index.json. Images are compared by their configs, which hold the digests of the layers. An
// image that one table names and the file does not hold, as one that was not pulled, does not count.
func agree(ctx context.Context, ref registry.Ref, files *tarFS) error {
	images, err := dockerImages(files)
	if err != nil {
		return err
	}
	reader := store.NewReader(files, ref.Path)
	index, err := reader.AnyIndex()
	if err != nil {
		return err
	}
	t := tables{reader: reader, all: map[v1.Hash]bool{}}
	var rows []map[v1.Hash]bool // the configs below each row
	for _, row := range index.Rows {
		below := map[v1.Hash]bool{}
		if err := t.configs(ctx, row.Descriptor, below, 0); err != nil {
			return err
		}
		rows = append(rows, below)
	}
	if len(t.all) == 0 {
		return nil
	}
	for _, image := range images {
		config, err := configDigest(files, image)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !t.all[config] {
			return fmt.Errorf(
				"its %s names an image with the config %s, which its %s does not have: programs take one or the other: %w",
				dockerManifest, config, indexFile, registry.ErrContent)
		}
		for i, row := range index.Rows {
			if tag := sharedName(image, row); tag != "" && len(rows[i]) > 0 && !rows[i][config] {
				return fmt.Errorf("its %s and its %s call different images %q: %w", dockerManifest, indexFile, tag,
					registry.ErrContent)
			}
		}
	}
	return nil
}

// tables collects the configs of the images that can be read.
type tables struct {
	reader *store.Reader
	all    map[v1.Hash]bool
}

func (t tables) configs(ctx context.Context, d v1.Descriptor, below map[v1.Hash]bool, depth int) error {
	if depth > maxDepth {
		return registry.WithKind(fmt.Errorf("lists nested over %d deep", maxDepth), registry.ErrContent)
	}
	m, err := t.reader.Manifest(ctx, d)
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrNotJSON) {
		return nil
	}
	if err != nil {
		return err
	}
	var body struct {
		Config    v1.Descriptor   `json:"config"`
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return registry.WithKind(fmt.Errorf("reading manifest %s: %w", m.Digest, err), registry.ErrContent)
	}
	if body.Config.Digest != (v1.Hash{}) {
		t.all[body.Config.Digest], below[body.Config.Digest] = true, true
	}
	for _, child := range body.Manifests {
		if err := t.configs(ctx, child, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func configDigest(files *tarFS, image dockerImage) (v1.Hash, error) {
	if err := files.checkRegular(clean(image.Config)); err != nil {
		return v1.Hash{}, err
	}
	config, err := registry.ReadFile(files, clean(image.Config), maxJSON)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("reading %q: %w", image.Config, err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(config))
	return digest, err
}

// sharedName returns the name that both give to an image, "" when there is none.
func sharedName(image dockerImage, row store.Row) string {
	name := row.Annotations[store.ContainerName]
	if i := slices.IndexFunc(image.RepoTags, func(tag string) bool {
		return tag == name || tag == row.Name() || name != "" && full(tag).Name() == full(name).Name()
	}); i >= 0 {
		return image.RepoTags[i]
	}
	return ""
}
