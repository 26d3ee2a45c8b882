package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/store"
)

// Run builds spec.Platforms and puts the images into the store once all of them are built: after a failed build none is
// stored. The error is or wraps a *StepError, a *WorkerError, an error that wraps registry.ErrUsage, a kind of package registry, or context.Canceled.
func Run(ctx context.Context, spec Spec, o Options) (Result, error) {
	spec, err := prepareSpec(spec)
	if err != nil {
		return Result{}, err
	}
	solver := o.Solver
	if solver == nil {
		solver = buildKit{}
	}
	dir, err := newScratch(filepath.Dir(o.Store.Dir()))
	if err != nil {
		return Result{}, &placeError{fmt.Errorf("making a directory beside the store: %w", err)}
	}
	defer dir.remove()
	layouts, err := solver.Solve(ctx, Job{Spec: spec, Options: o, Dir: dir.path})
	if err != nil {
		return Result{}, err
	}
	if spec.Name == nil {
		return Result{}, nil
	}
	images, err := readAll(spec, layouts)
	if err != nil {
		return Result{}, err
	}
	if err := verify(ctx, o, images, layouts); err != nil {
		return Result{}, err
	}
	if spec.Discard {
		return Result{Images: images}, nil
	}
	for i, image := range images {
		if err := o.Store.ImportLayout(ctx, layouts[i].Dir, layouts[i].Root, image.Ref); err != nil {
			return Result{}, fmt.Errorf("storing %q: %w", image.Ref, err)
		}
	}
	return Result{Images: images}, nil
}

// verify has every image looked at where it was exported to. All of them are, before the errors are returned.
func verify(ctx context.Context, o Options, images []Image, layouts []Layout) error {
	if o.Verify == nil {
		return nil
	}
	var errs []error
	for i, image := range images {
		object := registry.Object{Ref: image.Ref, Root: image.Manifest, Source: store.NewReader(regular.DirFS(layouts[i].Dir), layouts[i].Dir)}
		if err := o.Verify(ctx, image.Platform, object); err != nil {
			errs = append(errs, fmt.Errorf("verifying the image built for %s: %w", platform.Format(image.Platform), err))
		}
	}
	return errors.Join(errs...)
}

// prepareSpec fills defaults in and refuses what can't be built, before anything starts.
func prepareSpec(s Spec) (Spec, error) {
	if len(s.Platforms) == 0 {
		return s, registry.Usagef("no platform to build for")
	}
	s.Platforms = slices.Clone(s.Platforms)
	for i, p := range s.Platforms {
		s.Platforms[i] = platform.Normalize(p)
	}
	if s.Out == nil {
		s.Out = io.Discard
	}
	if s.Progress == "" {
		s.Progress = "auto"
	}
	if modes := []string{"auto", "plain", "tty", "quiet", "rawjson"}; !slices.Contains(modes, s.Progress) {
		return s, registry.Usagef("progress %q is none of %v", s.Progress, modes)
	}
	s, err := preparePaths(s)
	if err != nil {
		return s, err
	}
	if s, err = prepareExtras(s); err != nil {
		return s, err
	}
	return s, checkIgnores(s)
}
