package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// The files of containers-transports(5)'s dir:. Blobs are called by the hex digits of their digests (with the algorithm
// in front when it is not SHA-256), the images of a list by theirs with an ending.
const (
	directoryManifest = "manifest.json"
	childEnding       = ".manifest.json"
	maxRoot           = 8 << 20
)

// openDirectory opens what skopeo and podman write as dir:, an image or a list.
func openDirectory(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	dir := regular.DirFS(ref.Path)
	body, err := registry.ReadFile(dir, directoryManifest, maxRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return registry.Object{}, registry.WithHint(
			registry.WithKind(fmt.Errorf("not a directory of skopeo: it has no file %q", directoryManifest),
				registry.ErrContent),
			"for an OCI layout write oci:"+ref.Path,
		)
	}
	if err != nil {
		return registry.Object{}, err
	}
	if err := registry.CheckManifest(body); err != nil {
		return registry.Object{}, fmt.Errorf("reading %q: %w", directoryManifest, err)
	}
	root, err := registry.NewManifest("", body)
	if err != nil {
		return registry.Object{}, fmt.Errorf("reading %q: %w", directoryManifest, err)
	}
	o := registry.Object{Ref: ref, Root: root, Source: rooted{store.NewReader(directoryFS{dir}, ref.Path), root}}
	if ref.Digest != (v1.Hash{}) {
		o.Root, err = o.Source.Manifest(ctx, v1.Descriptor{Digest: ref.Digest})
	}
	return o, err
}

// directoryFS shows such a directory as a layout: blobs/ALGORITHM/HEX is HEX or, for an image of a list,
// HEX.manifest.json.
type directoryFS struct{ files fs.FS }

// Open implements fs.FS.
func (d directoryFS) Open(name string) (fs.File, error) {
	if !strings.HasPrefix(name, "blobs/") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	file := directoryFile(v1.Hash{Algorithm: path.Base(path.Dir(name)), Hex: path.Base(name)})
	f, err := d.files.Open(file + childEnding)
	if errors.Is(err, fs.ErrNotExist) {
		return d.files.Open(file)
	}
	return f, err
}

func directoryFile(h v1.Hash) string {
	if h.Algorithm == "sha256" {
		return h.Hex
	}
	return h.Algorithm + "-" + h.Hex
}
