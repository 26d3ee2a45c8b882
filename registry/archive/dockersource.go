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
	"mtool/registry/store"
)

// dockerSource is a registry.Source of one image of a Docker archive.
type dockerSource struct {
	manifest registry.Manifest
	files    *tarFS
	name     map[v1.Hash]string // config and layers
	archive  string
}

func (s *dockerSource) makeManifest(name string, config []byte, layers []v1.Descriptor) error {
	described, err := registry.NewManifest(types.OCIConfigJSON, config)
	if err != nil {
		return err
	}
	s.name[described.Digest] = name
	if layers == nil {
		layers = []v1.Descriptor{} // the specification requires an array
	}
	body, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: described.Descriptor(), Layers: layers,
	})
	if err != nil {
		return err
	}
	s.manifest, err = registry.NewManifest(types.OCIManifestSchema1, body)
	return err
}

// Manifest implements registry.Source.
func (s *dockerSource) Manifest(_ context.Context, d v1.Descriptor) (registry.Manifest, error) {
	if d.Digest != s.manifest.Digest {
		return registry.Manifest{}, fmt.Errorf("reading manifest %s in %q: %w", d.Digest, s.archive, registry.ErrNotFound)
	}
	if size := int64(len(s.manifest.Body)); d.Size > 0 && d.Size != size {
		return registry.Manifest{}, fmt.Errorf("reading manifest %s in %q: it has %d bytes, its descriptor says %d: %w",
			d.Digest, s.archive, size, d.Size, registry.ErrContent)
	}
	return s.manifest, nil
}

// Blob implements registry.Source.
func (s *dockerSource) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	name, ok := s.name[d.Digest]
	if !ok {
		return nil, fmt.Errorf("reading %s in %q: %w", d.Digest, s.archive, registry.ErrNotFound)
	}
	f, err := s.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %q in %q: %w", name, s.archive, registry.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return store.Verify(f, d, s.archive+"/"+name)
}
