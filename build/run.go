package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Run builds spec.Platforms and stores the images once all of them are built: a failed build stores nothing. Platforms
// of spec.Optional may fail. The error is or wraps a *StepError, a *WorkerError, an error that wraps registry.ErrUsage,
// a kind of package registry, or context.Canceled.
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
	layouts, err := reuse(ctx, solver, Job{Spec: spec, Options: o, Dir: dir.path})
	if err != nil {
		return Result{}, err
	}
	images, layouts, missing, err := accept(ctx, spec, o, layouts)
	if err != nil {
		return Result{}, err
	}
	result := Result{Images: images, Missing: missing}
	if spec.Discard {
		return result, nil
	}
	for i, image := range images {
		if err := o.Store.ImportLayout(ctx, layouts[i].Dir, layouts[i].Root, image.Ref); err != nil {
			return Result{}, fmt.Errorf("storing %q: %w", image.Ref, err)
		}
	}
	return result, nil
}

// accept reads and verifies what was built. An optional platform that fails is missing; other errors are joined.
func accept(ctx context.Context, s Spec, o Options, layouts []Layout) (
	images []Image, accepted []Layout, missing []Missing, err error,
) {
	var errs []error
	for i, l := range layouts {
		target := s.Platforms[i]
		err := l.Err
		var image Image
		if l.taken != nil {
			image = *l.taken
		} else if err == nil && s.Name != nil {
			image, err = s.acceptOne(ctx, o, target, l)
		}
		switch {
		case err != nil && s.forgives(target, err):
			missing = append(missing, Missing{target, err})
		case err != nil:
			errs = append(errs, err)
		case s.Name != nil:
			images, accepted = append(images, image), append(accepted, l)
		}
	}
	return images, accepted, missing, errors.Join(errs...)
}

// acceptOne reads an exported image, checks that its config names the requested platform, and verifies it.
func (s Spec) acceptOne(ctx context.Context, o Options, want v1.Platform, l Layout) (Image, error) {
	image := Image{Platform: want, Ref: s.Name(want), Emulator: l.Emulator, Ran: l.Ran}
	root, have, err := l.image(ctx, image.Ref)
	if err != nil {
		return image, fmt.Errorf("reading the image built for %s: %w", platform.Format(want), err)
	}
	if !platform.Equal(have, want) {
		return image, fmt.Errorf("building %s: %w: the image's config says %s", platform.Format(want), registry.ErrContent,
			platform.Format(have))
	}
	image.Manifest = root
	if o.Verify == nil {
		return image, nil
	}
	if err := o.Verify(ctx, want, l.object(image.Ref, root)); err != nil {
		return image, fmt.Errorf("verifying the image built for %s: %w", platform.Format(want), err)
	}
	return image, nil
}

// Result is what Run stored, in the order of Spec.Platforms, and what it did not build.
type Result struct {
	Images  []Image
	Missing []Missing
}
