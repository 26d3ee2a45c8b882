package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"

	"mtool/registry"
)

// repack writes an image into a directory of blobs with its layers compressed, always to the same bytes, and returns its
// manifest's descriptor. Layers that are compressed already stay as they are.
func repack(ctx context.Context, o registry.Object, blobs string) (v1.Descriptor, error) {
	var m v1.Manifest
	if err := json.Unmarshal(o.Root.Body, &m); err != nil || !o.Root.IsImage() {
		return v1.Descriptor{}, errors.Join(fmt.Errorf("%w: the engine gave no image", registry.ErrContent), err)
	}
	out := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	var err error
	if out.Config, err = moveBlob(ctx, o.Source, m.Config, blobs, false); err != nil {
		return v1.Descriptor{}, err
	}
	out.Config.MediaType = types.OCIConfigJSON
	for _, layer := range m.Layers {
		plain := layer.MediaType == types.OCIUncompressedLayer || layer.MediaType == types.DockerUncompressedLayer
		d, err := moveBlob(ctx, o.Source, layer, blobs, plain)
		if err != nil {
			return v1.Descriptor{}, err
		}
		d.MediaType = types.OCILayer
		if layer.MediaType == types.OCILayerZStd {
			d.MediaType = layer.MediaType
		}
		out.Layers = append(out.Layers, d)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d, err := writeBlob(blobs, bytes.NewReader(body), false)
	d.MediaType = types.OCIManifestSchema1
	return d, err
}

// moveBlob writes a blob, compressed when it is to be, and describes what was written.
func moveBlob(ctx context.Context, from registry.Source, d v1.Descriptor, blobs string, compress bool) (v1.Descriptor, error) {
	r, err := from.Blob(ctx, d)
	if err != nil {
		return v1.Descriptor{}, err
	}
	defer r.Close()
	return writeBlob(blobs, r, compress)
}

func writeBlob(blobs string, r io.Reader, compress bool) (d v1.Descriptor, err error) {
	f, err := os.CreateTemp(blobs, ".blob-")
	if err != nil {
		return d, err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // renamed when all went well
	sum := sha256.New()
	to := io.MultiWriter(f, sum)
	done := func() error { return nil }
	if compress {
		z := gzip.NewWriter(to) // neither name nor time in its header
		to, done = z, z.Close
	}
	_, err = io.Copy(to, r)
	if err = errors.Join(err, done()); err != nil {
		return d, errors.Join(err, f.Close())
	}
	d.Digest = v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sum.Sum(nil))}
	d.Size, err = f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return d, err
	}
	return d, os.Rename(f.Name(), filepath.Join(blobs, d.Digest.Hex))
}
