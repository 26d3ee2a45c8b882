package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/engine"
	"mtool/registry/store"
)

// inEngine opens an image of Docker Engine. The engine only exports whole images, as a tar, which stays in a temporary
// file until the Object is closed.
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
	// Where open files can be removed nothing is left, however the process ends.
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
		return o, fmt.Errorf("reading what was saved of %q: %w", ref, err)
	}
	o.Ref, o.Names = ref, nil
	return o, nil
}

type closers []io.Closer

func (all closers) Close() error {
	var errs []error
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// removal removes a file or a directory, which may be gone already.
type removal string

func (r removal) Close() error {
	return os.RemoveAll(string(r))
}
