package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"mtool/inspect/platform"
	"mtool/registry"

	v1 "github.com/google/go-containerregistry/pkg/v1"
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

// Image is one image in the store.
type Image struct {
	Platform v1.Platform
	Ref      registry.Ref // in the store
	Manifest registry.Manifest
	Emulator string // "" if native, else QEMU's name of the architecture
}

// Solver executes builds, as BuildKit does.
type Solver interface {
	// Solve builds every platform of job.Spec at once and exports platform number i as an OCI layout. Nothing that it
	// started is left when it returns.
	Solve(ctx context.Context, job Job) ([]Layout, error)
}

// Job is the input of a Solver: a Spec whose paths are absolute and exist, and whose defaults are set.
type Job struct {
	Spec    Spec
	Options Options
	Dir     string // an empty directory for the job, on the store's file system; removed after the import
}

// Layout is one exported image.
type Layout struct {
	Dir      string        // an OCI layout
	Root     v1.Descriptor // the image's manifest within
	Emulator string        // as in Image
}
