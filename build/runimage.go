package build

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/moby/buildkit/client/llb"

	"mtool/inspect"
	"mtool/registry"
)

// fetched reports whether the worker fetches the image from its registry, as it does base images.
func fetched(t inspect.Trial) bool { return t.From.Transport == registry.TransportRegistry }

// image is the root file system of a trial, and the store from which the worker gets it when it does not fetch it.
func (t trial) image(ctx context.Context) (llb.State, map[string]content.Store, error) {
	p := llb.Platform(spec(t.Image.Platform()))
	digest := t.Image.Manifest.Digest
	switch {
	case fetched(t.Trial):
		return llb.Image(t.From.Repository()+"@"+digest.String(), p), nil, nil
	case t.From.Transport == registry.TransportEngine && t.worker.engine != nil: // it has the image, and takes none from here
		return llb.Image(t.From.Name(), p, llb.ResolveModePreferLocal), nil, nil
	}
	dir, err := t.layout(ctx)
	if err != nil {
		return llb.State{}, nil, err
	}
	blobs, err := readOnly(dir, t.dir)
	if err != nil {
		return llb.State{}, nil, err
	}
	const id = "image"
	return llb.OCILayout(id+"/image@"+digest.String(), llb.OCIStore("", id), p), map[string]content.Store{id: blobs}, nil
}

// layout is the OCI layout that has the image: where it lies, or a copy of one in an archive or an engine.
func (t trial) layout(ctx context.Context) (string, error) {
	switch t.From.Transport {
	case registry.TransportStore:
		return t.options.Store.Dir(), nil
	case registry.TransportLayout:
		return t.From.Path, nil
	case registry.TransportRegistry, registry.TransportArchive, registry.TransportDockerArchive, registry.TransportEngine, registry.TransportDraft:
	}
	dir, err := os.MkdirTemp(t.dir, "image-")
	if err != nil {
		return "", err
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return "", err
	}
	if _, err := writeBlob(blobs, bytes.NewReader(t.Image.Manifest.Body), false); err != nil {
		return "", err
	}
	for _, d := range t.Image.Blobs() {
		if _, err := moveBlob(ctx, t.Image.Source, d, blobs, false); err != nil {
			return "", err
		}
	}
	return dir, nil
}
