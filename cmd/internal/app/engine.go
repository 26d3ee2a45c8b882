package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/engine"
)

// loadEngine loads one image into Docker Engine, which takes one platform at a time: the image of p; if p is zero, the
// only image or that of the engine's platform.
func (e *Env) loadEngine(
	ctx context.Context, report inspect.Report, target registry.Ref, p v1.Platform, dryRun bool,
) (_ v1.Hash, err error) {
	if target.Tag == "" || target.Digest != (v1.Hash{}) {
		return v1.Hash{}, registry.Usagef("loading %q: Docker Engine makes digests itself, so the image needs a tag", target)
	}
	docker, err := engine.Open()
	if err != nil {
		return v1.Hash{}, err
	}
	defer func() { err = errors.Join(err, docker.Close()) }()
	image, err := e.engineImage(ctx, docker, report, target, p)
	if err != nil {
		return v1.Hash{}, err
	}
	if n := len(image.Attestations); n > 0 {
		e.note("note: Docker Engine takes no attestations: %d left out", n)
	}
	if dryRun {
		e.note("dry run, nothing written: %s would be %s %s", target, platform.Format(image.Platform()),
			image.Manifest.Digest)
		return image.Manifest.Digest, nil
	}
	present, err := docker.Load(ctx, target, image.Manifest, image.Source)
	switch {
	case err != nil:
		return v1.Hash{}, err
	case present:
		e.note("unchanged %s", target)
	default:
		e.note("loaded %s: %s", target, platform.Format(image.Platform()))
	}
	return image.Manifest.Digest, nil
}

// fitsEngine checks before a build that Docker Engine answers and, of several platforms, runs one.
func fitsEngine(ctx context.Context, platforms []v1.Platform) (err error) {
	docker, err := engine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, docker.Close()) }()
	host, err := docker.Platform(ctx)
	if err != nil {
		return err
	}
	fits := func(p v1.Platform) bool { return platform.Satisfies(p, host) }
	if len(platforms) == 1 || slices.ContainsFunc(platforms, fits) {
		return nil
	}
	return registry.WithHint(
		registry.Usagef("Docker Engine takes one platform, its own, and %s is not among %s", platform.Format(host),
			strings.Join(platform.FormatAll(platforms), ", ")),
		"build "+platform.Format(host)+" too, or one platform only",
	)
}

// engineImage returns the image for the platform want; if that is zero, the only image or that of the engine's
// platform.
func (e *Env) engineImage(
	ctx context.Context, docker *engine.Engine, report inspect.Report, target registry.Ref, want v1.Platform,
) (inspect.Image, error) {
	given := !platform.IsUnknown(want)
	if len(report.Images) == 1 && !given {
		return report.Images[0], nil
	}
	origin := "the platform asked for"
	if !given {
		var err error
		if want, err = docker.Platform(ctx); err != nil {
			return inspect.Image{}, err
		}
		origin = "the engine's platform"
	}
	var have []string
	for _, image := range report.Images {
		if platform.Satisfies(image.Platform(), want) {
			if !given {
				e.note("note: Docker Engine takes one platform: %s of %d, its own", platform.Format(image.Platform()),
					len(report.Images))
			}
			return image, nil
		}
		have = append(have, platform.Format(image.Platform()))
	}
	return inspect.Image{}, registry.WithHint(
		fmt.Errorf("loading %q: %w: no image for %s, %s, among %s",
			target, registry.ErrNotFound, platform.Format(want), origin, strings.Join(have, ", ")),
		"choose one of them with --platform",
	)
}

// engineOnly refuses a platform for targets that take whole lists.
func engineOnly(p v1.Platform, to registry.Transport) error {
	if platform.IsUnknown(p) || to == registry.TransportEngine {
		return nil
	}
	return registry.WithHint(
		registry.Usagef("--platform is for Docker Engine, which takes one image; other targets take whole lists"),
		"mtool create NAME SRC --platform P --push makes a smaller list",
	)
}
