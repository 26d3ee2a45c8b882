package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Run builds spec.Platforms and stores the images once all of them are built: a failed build stores nothing. The
// error is or wraps a *StepError, a *WorkerError, an error that wraps registry.ErrUsage, a kind of package registry,
// or context.Canceled.
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
		return Result{}, &placeError{fmt.Errorf("making a directory next to the store: %w", err)}
	}
	defer dir.remove()
	layouts, err := solver.Solve(ctx, Job{Spec: spec, Options: o, Dir: dir.path})
	if err != nil {
		return Result{}, err
	}
	if spec.Name == nil {
		return Result{}, nil
	}
	images, err := readBuilt(ctx, spec, layouts)
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

// readBuilt reads every exported image and checks that its config names the requested platform.
func readBuilt(ctx context.Context, s Spec, layouts []Layout) ([]Image, error) {
	images := make([]Image, len(layouts))
	for i, l := range layouts {
		want := s.Platforms[i]
		images[i] = Image{Platform: want, Ref: s.Name(want), Emulator: l.Emulator, Ran: l.Ran}
		root, have, err := l.image(ctx, images[i].Ref)
		if err != nil {
			return nil, fmt.Errorf("reading the image built for %s: %w", platform.Format(want), err)
		}
		if !platform.Equal(have, want) {
			return nil, fmt.Errorf("building %s: %w: the image's config says %s", platform.Format(want), registry.ErrContent,
				platform.Format(have))
		}
		images[i].Manifest = root
	}
	return images, nil
}

// verify calls Options.Verify for every exported image, then joins the errors.
func verify(ctx context.Context, o Options, images []Image, layouts []Layout) error {
	if o.Verify == nil {
		return nil
	}
	var errs []error
	for i, image := range images {
		if err := o.Verify(ctx, image.Platform, layouts[i].object(image.Ref, image.Manifest)); err != nil {
			errs = append(errs, fmt.Errorf("verifying the image built for %s: %w", platform.Format(image.Platform), err))
		}
	}
	return errors.Join(errs...)
}

// Result is what Run stored, in the order of Spec.Platforms.
type Result struct{ Images []Image }
