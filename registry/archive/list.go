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

// List names what Open can open in a file: ref with the name of each image as its tag, or, for one without a name, with its
// digest. Where ref chooses an image itself it is the answer. Errors are those of Open.
func List(ctx context.Context, ref registry.Ref) ([]registry.Ref, error) {
	if ref.Tag != "" || ref.Digest != (v1.Hash{}) {
		return []registry.Ref{ref}, nil
	}
	info, err := os.Stat(ref.Path)
	var refs []registry.Ref
	switch {
	case err != nil:
		return []registry.Ref{ref}, nil //nolint:nilerr // Open has the words for it
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
	file, err := regular.Open(ref.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	files, err := openTar(file)
	if err != nil {
		return nil, err
	}
	if kind, err := kindOf(ctx, ref, files); err != nil || kind == registry.TransportArchive {
		if err != nil {
			return nil, err
		}
		return listLayout(ref, files)
	}
	images, err := dockerImages(files)
	if err != nil || len(images) < 2 {
		return []registry.Ref{ref}, nil
	}
	var refs []registry.Ref
	for _, image := range images {
		for _, name := range image.RepoTags {
			refs = append(refs, ref.WithTag(name))
		}
	}
	return refs, nil
}

func listLayout(ref registry.Ref, files fs.FS) ([]registry.Ref, error) {
	index, err := store.NewReader(files, ref.Path).Index()
	if err != nil {
		return nil, err
	}
	if len(index.Rows) < 2 {
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
