package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Reproduce builds again without a cache, and compares the result with the images of ref, byte for byte. The default of
// Epoch is the time of creation in the image. Nothing is stored. If an image differs, the error wraps
// registry.ErrContent and says in what.
func (e *Env) Reproduce(ctx context.Context, o BuildOptions, ref registry.Ref) ([]publish.Made, error) {
	object, report, err := e.readOne(ctx, ref, lookup(""))
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	originals, err := originalsOf(report, o.Platforms)
	if err != nil {
		return nil, err
	}
	if o.Epoch == "" && o.BuildArgs[epochArg] == "" {
		if o.Epoch, err = createdOf(originals[0]); err != nil {
			return nil, err
		}
	}
	o.NoCache, o.Discard, o.Outputs, o.Provenance, o.SBOM = true, true, nil, "", ""
	o.Names = []registry.Ref{ref}
	p, err := e.prepareBuild(ctx, o)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if build.Fingerprint(originals[0]) != "" {
		p.opts.Reuse = &registry.Object{} // nothing to take: the images get the annotation, as the originals did
	}
	result, err := build.Run(ctx, p.spec, p.opts)
	if err != nil {
		return nil, err
	}
	var made []publish.Made
	var errs []error
	for i, image := range result.Images {
		if err := compareImages(originals[i], image); err != nil {
			errs = append(errs, fmt.Errorf("reproducing %s of %q: %w", platform.Format(image.Platform), ref, err))
			continue
		}
		e.note("reproduced %s: %s", platform.Format(image.Platform), image.Manifest.Digest)
		made = append(made, publish.MadeAt(ref, image.Manifest.Digest))
	}
	return made, errors.Join(errs...)
}

// originalsOf returns the images of the platforms.
func originalsOf(report inspect.Report, platforms []v1.Platform) (found []inspect.Image, err error) {
	var unread error // an image whose platform is not known may be the one
	for _, image := range report.Images {
		unread = errors.Join(unread, image.Err)
	}
	for _, want := range platforms {
		i := slices.IndexFunc(report.Images, func(i inspect.Image) bool { return platform.Equal(i.Platform(), want) })
		switch {
		case i >= 0 && report.Images[i].Err == nil:
			found = append(found, report.Images[i])
		case unread != nil:
			return nil, fmt.Errorf("reproducing %q: %w", report.Ref, unread)
		default:
			return nil, fmt.Errorf("reproducing %q: %w: it has no %s", report.Ref, registry.ErrNotFound, platform.Format(want))
		}
	}
	return found, nil
}

// createdOf returns the time of creation in the image's config, in seconds since 1970.
func createdOf(image inspect.Image) (string, error) {
	details, err := image.Details()
	if err != nil && details.Created.IsZero() {
		return "", fmt.Errorf("reading config %s: %w: %w", image.ConfigOf.Digest, registry.ErrContent, err)
	}
	return strconv.FormatInt(max(details.Created.Unix(), 0), 10), nil
}

// compareImages returns an error that says in what an image differs from the original.
func compareImages(original inspect.Image, image build.Image) error {
	what, err := image.Difference(original)
	if what == "" {
		return err
	}
	return registry.WithHint(
		fmt.Errorf("%w: it is %s, and this build made %s; they differ first in %s",
			registry.ErrContent, original.Manifest.Digest, image.Manifest.Digest, what),
		"build the original with --source-date-epoch, and from the same files, base images and arguments",
	)
}
