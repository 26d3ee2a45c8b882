package archive

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// List returns what Open can open in a file: ref with each image's name as its tag, or its digest where it has no name.
// If ref chooses an image itself, List returns ref. Errors are those of Open.
func List(ctx context.Context, ref registry.Ref) ([]registry.Ref, error) {
	if ref.Tag != "" || ref.Digest != (v1.Hash{}) || ref.Transport == registry.TransportDirectory {
		return []registry.Ref{ref}, nil
	}
	info, err := os.Stat(ref.Path)
	var refs []registry.Ref
	switch {
	case err != nil:
		return []registry.Ref{ref}, nil //nolint:nilerr // Open reports it better
	case info.IsDir():
		refs, err = listLayout(ref, regular.DirFS(ref.Path))
	default:
		refs, err = listArchive(ctx, ref)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", ref, err)
	}
	return refs, nil
}

func listArchive(ctx context.Context, ref registry.Ref) ([]registry.Ref, error) {
	closer, files, err := openFiles(ctx, ref.Path)
	if err != nil {
		return nil, err
	}
	defer closer.Close() //nolint:errcheck // opened for reading only
	if ref.Transport, err = kindOf(ctx, ref, files); err != nil {
		return nil, err
	}
	if ref.Transport == registry.TransportArchive {
		return listLayout(ref, files)
	}
	images, err := dockerImages(files)
	if err != nil {
		return nil, err
	}
	var refs []registry.Ref
	for _, image := range images {
		for _, name := range image.RepoTags {
			refs = append(refs, ref.WithTag(name))
		}
		if len(image.RepoTags) > 0 || len(images) < 2 {
			continue
		}
		s, err := newDockerSource(ctx, files, ref.Path, image)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref.WithDigest(s.manifest.Digest))
	}
	if len(refs) < 2 {
		return []registry.Ref{ref}, nil
	}
	return refs, nil
}

func listLayout(ref registry.Ref, files fs.FS) ([]registry.Ref, error) {
	index, err := store.NewReader(files, ref.Path).Index()
	if err != nil {
		return nil, err
	}
	if len(index.Rows) < 2 || isList(index) {
		return []registry.Ref{ref}, nil
	}
	var refs []registry.Ref
	for _, row := range index.Rows {
		switch full := row.Annotations[store.ContainerName]; {
		case full != "":
			refs = append(refs, ref.WithTag(full))
		case row.Name() != "":
			refs = append(refs, ref.WithTag(row.Name()))
		default:
			refs = append(refs, ref.WithDigest(row.Digest))
		}
	}
	return refs, nil
}
