package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// Open opens the image or list that ref names in a layout or an archive. The tag is the name in the layout (or the name
// or tag in a Docker archive), the digest that of any manifest in it; without both, the file must hold one image only.
// The caller closes the Object.
//
// The error wraps registry.ErrNotFound when the file or the image in it is missing, registry.ErrContent when the file
// is not what it should be, and registry.ErrName when ref does not choose one of several images.
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
		return registry.Object{}, registry.WithKind(errors.New("no such file or directory"), registry.ErrNotFound)
	case err != nil:
		return registry.Object{}, err
	case !ref.IsFile():
		return registry.Object{}, fmt.Errorf("%s: not a file: %w", ref.Transport, registry.ErrName)
	case !info.IsDir() && (ref.Transport == registry.TransportLayout || ref.Transport == registry.TransportDirectory):
		return registry.Object{}, registry.WithHint(
			registry.WithKind(errors.New("a file, not a directory"), registry.ErrContent),
			fmt.Sprintf("for an archive write oci-archive:%s", ref.Path),
		)
	case ref.Transport == registry.TransportDirectory && info.IsDir():
		return openDirectory(ctx, ref)
	case ref.Transport == registry.TransportLayout:
		return openLayout(ctx, ref, store.NewReader(regular.DirFS(ref.Path), ref.Path))
	case info.IsDir():
		return registry.Object{}, registry.WithHint(
			registry.WithKind(errors.New("a directory, not an archive"), registry.ErrContent),
			fmt.Sprintf("for a layout write oci:%s", ref.Path),
		)
	}
	return openArchive(ctx, ref)
}

func openArchive(ctx context.Context, ref registry.Ref) (o registry.Object, err error) {
	closer, files, err := openFiles(ctx, ref.Path)
	if err != nil {
		return registry.Object{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closer.Close())
		}
	}()
	if ref.Transport, err = kindOf(ctx, ref, files); err != nil {
		return registry.Object{}, err
	}
	if ref.Transport == registry.TransportDockerArchive {
		o, err = openDocker(ctx, ref, files)
	} else {
		o, err = openLayout(ctx, ref, store.NewReader(files, ref.Path))
		if err == nil && o.Root.IsList() && files.has(dockerManifest) {
			err = keepHeld(ctx, &o)
		}
	}
	o.Closer = closer
	return o, err
}

// openFiles opens a tar, compressed or not.
func openFiles(ctx context.Context, path string) (io.Closer, *tarFS, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, nil, err
	}
	closer, file, err := uncompressed(ctx, file)
	var files *tarFS
	if err == nil {
		files, err = openTar(file)
	}
	if err != nil {
		return nil, nil, errors.Join(err, closer.Close())
	}
	return closer, files, nil
}

const (
	indexFile  = "index.json"
	layoutFile = "oci-layout"
)

// kindOf returns the kind of the file, or the kind that the user named. Docker Engine 25 and later writes both kinds at
// once: the layout is what the engine stores, and has the true digests. apko adds an index to its Docker archives
// without the file that makes a layout.
func kindOf(ctx context.Context, ref registry.Ref, files *tarFS) (registry.Transport, error) {
	if err := files.checkRegular(indexFile, layoutFile, dockerManifest); err != nil {
		return "", err
	}
	docker, index := files.has(dockerManifest), files.has(indexFile)
	if docker && index {
		if err := agree(ctx, ref, files); err != nil {
			return "", err
		}
	}
	if docker || index {
		return typedOr(ref, docker, index, docker && (!index || !files.has(layoutFile)))
	}
	return "", fmt.Errorf("a tar, but neither an OCI archive (no %s) nor a Docker archive (no %s): %w", indexFile,
		dockerManifest, registry.ErrContent)
}

// typedOr returns the transport that the user wrote, and refuses a file of another kind; without one it returns
// docker-archive or oci-archive.
func typedOr(ref registry.Ref, docker, index, asDocker bool) (registry.Transport, error) {
	switch typed := typedTransport(ref); {
	case typed == registry.TransportDockerArchive && !docker:
		return "", wrongKind("an OCI archive, not a Docker archive", registry.TransportArchive, ref)
	case typed == registry.TransportArchive && !index:
		return "", wrongKind("a Docker archive, not an OCI archive", registry.TransportDockerArchive, ref)
	case typed != "":
		return typed, nil
	case asDocker:
		return registry.TransportDockerArchive, nil
	}
	return registry.TransportArchive, nil
}

// typedTransport returns the transport that the user wrote; "" where only the path suggested it.
func typedTransport(ref registry.Ref) registry.Transport {
	if strings.HasPrefix(ref.Typed, string(ref.Transport)+":") {
		return ref.Transport
	}
	return ""
}

func wrongKind(what string, is registry.Transport, ref registry.Ref) error {
	return registry.WithHint(registry.WithKind(fmt.Errorf("it is %s", what), registry.ErrContent),
		fmt.Sprintf("write %s:%s", is, ref.Path))
}

func openLayout(ctx context.Context, ref registry.Ref, r *store.Reader) (registry.Object, error) {
	index, err := r.Index()
	if err != nil {
		return registry.Object{}, err
	}
	o := registry.Object{Ref: ref, Source: r}
	switch {
	case ref.Digest == (v1.Hash{}) && ref.Tag == "" && isList(index):
		if o.Root, err = r.IndexManifest(); err == nil {
			o.Source = rooted{r, o.Root}
		}
	case ref.Digest == (v1.Hash{}):
		o.Root, o.Names, err = tagged(ctx, r, ref, index)
	default:
		// The digest of a row, or of anything below one: the blobs folder holds both.
		o.Root, err = r.Manifest(ctx, v1.Descriptor{Digest: ref.Digest})
	}
	if err != nil {
		return registry.Object{}, err
	}
	return o, nil
}

// isList reports whether the index is itself a list of images: none of its rows has a name, and each has a different
// platform. crane, regctl, Bazel's rules and others write such layouts.
func isList(index store.Index) bool {
	seen := map[string]bool{}
	for _, row := range index.Rows {
		name := row.Name() + row.Annotations[store.ContainerName]
		switch {
		case row.Annotations[attested] != "" && name == "":
			continue
		case name != "", row.Platform == nil, !row.MediaType.IsImage(), seen[row.Platform.String()]:
			return false
		}
		seen[row.Platform.String()] = true
	}
	return len(seen) > 1
}

func tagged(
	ctx context.Context, r *store.Reader, ref registry.Ref, index store.Index,
) (registry.Manifest, []string, error) {
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
	if list, ok := soleNamed(choices); ok && ref.Tag == "" && holdsOthers(ctx, r, index.Rows[list].Descriptor, choices) {
		choices = choices[list : list+1]
		index.Rows = index.Rows[list : list+1]
	}
	i, err := choose(ref, choices)
	if err != nil {
		return registry.Manifest{}, nil, err
	}
	m, err := r.Root(ctx, index.Rows[i].Descriptor)
	return m, choices[i].names, err
}

// soleNamed returns the only choice that has a name, if others have none.
func soleNamed(choices []choice) (sole int, ok bool) {
	named := 0
	for i, c := range choices {
		if len(c.names) > 0 {
			sole = i
			named++
		}
	}
	return sole, named == 1 && len(choices) > 1
}

// holdsOthers reports whether d is a list of all other choices: oras writes the images of a list beside it, without
// names.
func holdsOthers(ctx context.Context, r *store.Reader, d v1.Descriptor, choices []choice) bool {
	m, err := r.Root(ctx, d)
	if err != nil {
		return false // reading it fails when it is chosen
	}
	refs, err := m.Refs()
	if err != nil {
		return false
	}
	held := map[string]bool{d.Digest.String(): true}
	for _, row := range refs.Manifests {
		held[row.Digest.String()] = true
	}
	return !slices.ContainsFunc(choices, func(c choice) bool { return !held[c.key] })
}
