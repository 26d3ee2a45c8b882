package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/engine"
	"mtool/registry/store"
)

// inEngine opens an image of Docker Engine. The engine gives it as a whole only, as a tar, which lies in a temporary file
// until the Object is closed.
func inEngine(ctx context.Context, ref registry.Ref) (o registry.Object, err error) {
	e, err := engine.Open()
	if err != nil {
		return registry.Object{}, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	file, err := os.CreateTemp("", "mtool-image-*.tar")
	if err != nil {
		return registry.Object{}, fmt.Errorf("opening %q: %w", ref, err)
	}
	err = e.Save(ctx, ref, file)
	if err = errors.Join(store.DiskFull(err, os.TempDir(), 0), file.Close()); err == nil {
		o, err = openSaved(ctx, ref, file.Name())
	}
	// Where open files can be removed nothing is left behind, however the process ends.
	removed := os.Remove(file.Name())
	if err != nil {
		return registry.Object{}, errors.Join(err, removed)
	}
	if removed != nil {
		o.Closer = closers{o.Closer, removal(file.Name())}
	}
	return o, nil
}

func openSaved(ctx context.Context, ref registry.Ref, path string) (registry.Object, error) {
	o, err := archive.Open(ctx, registry.Ref{Transport: registry.TransportArchive, Path: path})
	if err != nil {
		return o, fmt.Errorf("reading what Docker Engine saved of %q: %w", ref, err)
	}
	o.Ref, o.Names = ref, nil
	if o.Root.IsList() {
		if o.Root, err = pulled(ctx, o); err != nil {
			return registry.Object{}, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// pulled is what the engine has of a list: its containerd store keeps the whole list, and the images of those platforms
// only that were pulled. With one image that is the image, since the list can't be had from here.
func pulled(ctx context.Context, o registry.Object) (registry.Manifest, error) {
	var list v1.IndexManifest
	if err := json.Unmarshal(o.Root.Body, &list); err != nil {
		return o.Root, fmt.Errorf("reading the list %q: %w: %w", o.Ref, registry.ErrContent, err)
	}
	var there []registry.Manifest
	for _, row := range list.Manifests {
		m, err := o.Source.Manifest(ctx, row)
		switch {
		case errors.Is(err, registry.ErrNotFound):
		case err != nil:
			return o.Root, err
		case m.IsImage() && row.Annotations["vnd.docker.reference.digest"] == "":
			there = append(there, m)
		}
	}
	if len(there) == 1 && len(list.Manifests) > 1 {
		return there[0], nil
	}
	return o.Root, nil
}

type closers []io.Closer

func (all closers) Close() error {
	var errs []error
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// removal removes a file, which may be gone.
type removal string

func (r removal) Close() error {
	if err := os.Remove(string(r)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
