package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// Open opens the image or list that ref names in a layout or an archive. The tag is the name in the layout (or the name or
// tag in a Docker archive), the digest that of any manifest in it; without both there must be one image only. The Object
// must be closed.
//
// An error wraps registry.ErrNotFound when there is no such file or no such image in it, registry.ErrContent when the file
// is not what it should be, and registry.ErrName when ref chooses none of several images.
func Open(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	o, err := open(ctx, ref)
	if err != nil {
		return registry.Object{}, fmt.Errorf("opening %q: %w", ref, err)
	}
	return o, nil
}

func open(ctx context.Context, ref registry.Ref) (registry.Object, error) {
	info, err := os.Stat(ref.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return registry.Object{}, fmt.Errorf("no such file or directory: %w", registry.ErrNotFound)
	case err != nil:
		return registry.Object{}, err
	case !ref.IsFile():
		return registry.Object{}, fmt.Errorf("%s: is no file: %w", ref.Transport, registry.ErrName)
	case ref.Transport == registry.TransportLayout && !info.IsDir():
		return registry.Object{}, registry.WithHint(
			fmt.Errorf("a file, not the directory of a layout: %w", registry.ErrContent),
			fmt.Sprintf("for an archive write oci-archive:%s", ref.Path),
		)
	case ref.Transport == registry.TransportLayout:
		return openLayout(ctx, ref, store.NewReader(regular.DirFS(ref.Path), ref.Path))
	case info.IsDir():
		return registry.Object{}, registry.WithHint(
			fmt.Errorf("a directory, not an archive: %w", registry.ErrContent),
			fmt.Sprintf("for a layout write oci:%s", ref.Path),
		)
	}
	return openArchive(ctx, ref)
}

func openArchive(ctx context.Context, ref registry.Ref) (o registry.Object, err error) {
	file, err := regular.Open(ref.Path)
	if err != nil {
		return registry.Object{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	files, err := openTar(file)
	if err != nil {
		return registry.Object{}, err
	}
	if ref.Transport, err = kindOf(ctx, ref, files); err != nil {
		return registry.Object{}, err
	}
	if ref.Transport == registry.TransportDockerArchive {
		o, err = openDocker(ctx, ref, files)
	} else {
		o, err = openLayout(ctx, ref, store.NewReader(files, ref.Path))
	}
	o.Closer = file
	return o, err
}

const (
	indexFile  = "index.json"
	layoutFile = "oci-layout"
)

// kindOf is what the file is. Docker Engine 25 and later writes both: the layout is what it keeps itself, and has the true
// digests. An index without the file that makes it a layout is a by-product of apko.
func kindOf(ctx context.Context, ref registry.Ref, files *tarFS) (registry.Transport, error) {
	if err := files.plain(indexFile, layoutFile, dockerManifest); err != nil {
		return "", err
	}
	docker, index := files.has(dockerManifest), files.has(indexFile)
	if docker && index {
		if err := agree(ctx, ref, files); err != nil {
			return "", err
		}
	}
	switch {
	case docker && (!index || !files.has(layoutFile)):
		return registry.TransportDockerArchive, nil
	case index:
		return registry.TransportArchive, nil
	}
	return "", fmt.Errorf("a tar, but neither an OCI archive (no %s) nor a Docker archive (no %s): %w", indexFile, dockerManifest, registry.ErrContent)
}

func openLayout(ctx context.Context, ref registry.Ref, r *store.Reader) (registry.Object, error) {
	index, err := r.Index()
	if err != nil {
		return registry.Object{}, err
	}
	o := registry.Object{Ref: ref, Source: r}
	if ref.Digest != (v1.Hash{}) {
		// Of a row or of anything below one; the blobs folder does not tell them apart.
		o.Root, err = r.Manifest(ctx, v1.Descriptor{Digest: ref.Digest})
	} else {
		o.Root, o.Names, err = tagged(ctx, r, ref, index)
	}
	if err != nil {
		return registry.Object{}, err
	}
	return o, nil
}

func tagged(ctx context.Context, r *store.Reader, ref registry.Ref, index store.Index) (registry.Manifest, []string, error) {
	var choices []choice
	for _, row := range index.Rows {
		c := choice{key: row.Digest.String()}
		for _, name := range []string{row.Name(), row.Annotations[store.ContainerName]} {
			if name != "" && !slices.Contains(c.names, name) {
				c.names = append(c.names, name)
			}
		}
		choices = append(choices, c)
	}
	i, err := choose(ref, choices)
	if err != nil {
		return registry.Manifest{}, nil, err
	}
	m, err := r.Root(ctx, index.Rows[i].Descriptor)
	return m, choices[i].names, err
}
