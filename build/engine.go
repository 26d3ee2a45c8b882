package build

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/moby/buildkit/client"

	"mtool/build/advice"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/engine"
)

// viaEngine changes a request so that Docker Engine can answer it: its BuildKit exports images only into the engine.
// It returns the image's name there.
func viaEngine(opt *client.SolveOpt) registry.Ref {
	name := registry.Ref{
		Transport: registry.TransportEngine, Host: "docker.io", Repo: "library/mtool-build",
		Tag: strings.ToLower(rand.Text()),
	}
	for i, e := range opt.Exports {
		if e.Type == client.ExporterOCI && e.OutputStore != nil {
			opt.Exports[i] = client.ExportEntry{Type: "moby", Attrs: map[string]string{"name": name.Name()}}
		}
	}
	return name
}

// oneByOne leaves the first export in the request and returns the others: an engine before 23.0 silently makes only
// the first.
func oneByOne(opt client.SolveOpt) (first client.SolveOpt, others []client.ExportEntry) {
	if len(opt.Exports) < 2 {
		return opt, nil
	}
	others = opt.Exports[1:]
	opt.Exports = opt.Exports[:1]
	return opt, others
}

// beyondEngine refuses what the BuildKit in Docker Engine silently ignores, or reports unclearly. An engine with
// containerd's image store supports more, but that can't be known in advance.
func beyondEngine(s Spec) error {
	var what string
	switch {
	case provenance(s.Provenance) != "" || sbom(s.SBOM) != "":
		what = "attaches neither provenance nor an SBOM"
	case s.BuildArgs[epochArg] != "":
		what = "does not set the times of files, as SOURCE_DATE_EPOCH has it"
	case slices.ContainsFunc(s.Exports,
		func(e Export) bool { return e.Type == client.ExporterOCI || e.Type == client.ExporterDocker }):
		what = "writes no archives of images (type=oci, type=docker)"
	case slices.ContainsFunc(withType(s.CacheTo), func(c string) bool { return !strings.Contains(c, "type=inline") }):
		what = "exports no cache but an inline one (type=inline)"
	case slices.Contains(s.Allow, AllowInsecure):
		what = "lets no step have " + AllowInsecure
	default:
		return nil
	}
	return &WorkerError{
		Doing: "building on " + DockerEngine, Err: errors.New("the BuildKit in Docker Engine " + what),
		Advice: advice.Of(advice.WholeBuildKit),
	}
}

// takeFrom moves an image from the engine into the layout dir and removes its name from the engine.
func takeFrom(ctx context.Context, e *engine.Engine, name registry.Ref, dir string) (Layout, error) {
	l, err := saveFrom(ctx, e, name, dir)
	return l, errors.Join(err, e.Remove(context.WithoutCancel(ctx), name))
}

func saveFrom(ctx context.Context, e *engine.Engine, name registry.Ref, dir string) (l Layout, err error) {
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return l, err
	}
	tar := registry.Ref{Transport: registry.TransportDockerArchive, Path: filepath.Join(dir, "saved.tar")}
	file, err := os.Create(tar.Path)
	if err != nil {
		return l, err
	}
	defer os.Remove(tar.Path) //nolint:errcheck // the directory is removed after the build
	if err := errors.Join(e.Save(ctx, name, file), file.Close()); err != nil {
		return l, err
	}
	object, err := archive.Open(ctx, tar)
	if err != nil {
		return l, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	root, err := repack(ctx, object, filepath.Join(dir, "blobs", "sha256"))
	return Layout{Dir: dir, Root: root}, err
}

// repack writes an image into a directory of blobs and returns its manifest's descriptor. It compresses layers
// reproducibly; compressed ones stay as they are.
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

// moveBlob writes a blob, compressed on request, and returns its descriptor.
func moveBlob(
	ctx context.Context, from registry.Source, d v1.Descriptor, blobs string, compress bool,
) (v1.Descriptor, error) {
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
