package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"mtool/registry"
)

// payload is an image that an engine can load. Its tar is a Docker archive, which every engine reads, and an OCI
// archive, from which an engine with the containerd store keeps the digests.
type payload struct {
	name     string // "demo:v1"
	manifest registry.Manifest
	config   v1.Descriptor
	layers   []v1.Descriptor
	src      registry.Source
	unpacked map[v1.Hash]*os.File // zstd layers, which engines before 23 can't unpack
}

func newPayload(ctx context.Context, ref registry.Ref, m registry.Manifest, src registry.Source) (*payload, error) {
	parsed, err := v1.ParseManifest(bytes.NewReader(m.Body))
	if err != nil || !m.IsImage() {
		return nil, fmt.Errorf("%w: %s is not an image manifest", registry.ErrContent, m.Digest)
	}
	p := &payload{
		name: ref.Name(), manifest: m, config: parsed.Config, layers: parsed.Layers, src: src,
		unpacked: map[v1.Hash]*os.File{},
	}
	for _, layer := range p.layers {
		if err := p.prepare(ctx, layer); err != nil {
			p.remove()
			return nil, fmt.Errorf("reading layer %s: %w", layer.Digest, err)
		}
	}
	return p, nil
}

// prepare decompresses what engines can't, and refuses encrypted layers.
func (p *payload) prepare(ctx context.Context, layer v1.Descriptor) (err error) {
	switch {
	case strings.Contains(string(layer.MediaType), "encrypted"):
		return fmt.Errorf("%w: it is encrypted, which Docker Engine can't load", registry.ErrRefused)
	case !strings.HasSuffix(string(layer.MediaType), "zstd") || p.unpacked[layer.Digest] != nil:
		return nil
	}
	f, err := os.CreateTemp("", "mtool-layer-*")
	if err != nil {
		return err
	}
	p.unpacked[layer.Digest] = f
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "unpacking", Name: p.name, Blob: layer})
	defer func() { task.End(registry.Copied, err) }()
	blob, err := p.src.Blob(ctx, layer)
	if err != nil {
		return err
	}
	blob = registry.Counted(ctx, blob)
	defer blob.Close()
	plain, err := zstd.NewReader(blob)
	if err != nil {
		return err
	}
	defer plain.Close()
	if _, err = io.Copy(f, plain); err == nil {
		_, err = io.Copy(io.Discard, blob) // the source verifies the digest at the end
	}
	return err
}

func (p *payload) remove() {
	for _, f := range p.unpacked {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}

// writeTo writes the small files first, then the layers, each once.
func (p *payload) writeTo(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	listing, docker, err := p.describe()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{
		{layoutFile, []byte(layoutText)},
		{"index.json", listing},
		{"manifest.json", docker},
		{blobName(p.manifest.Digest), p.manifest.Body},
	} {
		if err := add(t, f.name, int64(len(f.data)), bytes.NewReader(f.data)); err != nil {
			return err
		}
	}
	for n, d := range append([]v1.Descriptor{p.config}, p.layers...) {
		if slices.ContainsFunc(p.layers[:max(n-1, 0)], func(before v1.Descriptor) bool { return before.Digest == d.Digest }) {
			continue
		}
		if err := p.addBlob(ctx, t, d); err != nil {
			return fmt.Errorf("reading %s: %w", d.Digest, err)
		}
	}
	return t.Close()
}

func (p *payload) addBlob(ctx context.Context, t *tar.Writer, d v1.Descriptor) error {
	ctx, task := registry.Begin(ctx, registry.Work{Doing: "loading", Name: p.name, Blob: d})
	blob, err := p.src.Blob(ctx, d)
	if err == nil {
		blob = registry.Counted(ctx, blob)
		err = errors.Join(add(t, blobName(d.Digest), d.Size, blob), blob.Close())
	}
	if task.End(registry.Copied, err); err != nil {
		return err
	}
	plain := p.unpacked[d.Digest]
	if plain == nil {
		return nil
	}
	size, err := plain.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = plain.Seek(0, io.SeekStart)
	}
	return errors.Join(err, add(t, p.layerName(d), size, plain))
}

// add reads r to its end, where sources verify.
func add(t *tar.Writer, name string, size int64, r io.Reader) error {
	err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX})
	if err == nil {
		_, err = io.Copy(t, r)
	}
	return err
}

// describe returns index.json and manifest.json.
func (p *payload) describe() (listing, docker []byte, err error) {
	if listing, err = index(p.name, p.manifest); err != nil {
		return nil, nil, err
	}
	layers := []string{}
	for _, layer := range p.layers {
		layers = append(layers, p.layerName(layer))
	}
	docker, err = json.Marshal(
		[]map[string]any{{"Config": blobName(p.config.Digest), "RepoTags": []string{p.name}, "Layers": layers}})
	return listing, docker, err
}

// layerName returns the name of the layer in the Docker archive.
func (p *payload) layerName(d v1.Descriptor) string {
	if p.unpacked[d.Digest] != nil {
		return d.Digest.Hex + "/layer.tar"
	}
	return blobName(d.Digest)
}

func blobName(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
