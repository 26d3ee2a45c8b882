package build

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
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

func readImage(l Layout) (registry.Manifest, v1.Platform, error) {
	body, err := readBlob(l.Dir, l.Root.Digest)
	if err != nil {
		return registry.Manifest{}, v1.Platform{}, err
	}
	m, err := registry.NewManifest(l.Root.MediaType, body)
	if err != nil {
		return m, v1.Platform{}, err
	}
	if !m.IsImage() {
		return m, v1.Platform{}, fmt.Errorf("%w: it is %s, not an image", registry.ErrContent, m.MediaType)
	}
	p, err := configPlatform(l.Dir, m)
	return m, p, err
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

// readBlob reads a small blob whole and compares its bytes with its digest.
func readBlob(dir string, digest v1.Hash) ([]byte, error) {
	body, err := os.ReadFile(filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex))
	if err != nil {
		return nil, err
	}
	if m, err := registry.NewManifest("application/octet-stream", body); err != nil || m.Digest != digest {
		return nil, fmt.Errorf("%w: blob %s has the bytes of %s", registry.ErrContent, digest, m.Digest)
	}
	return body, nil
}
