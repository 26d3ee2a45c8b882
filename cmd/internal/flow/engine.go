package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/engine"
)

// loadEngine gives Docker Engine one image of what was read, since it takes one platform at a time: the only one, or else
// that of the engine's own platform.
func (e *Env) loadEngine(ctx context.Context, report inspect.Report, target registry.Ref, dryRun bool) (_ Made, err error) {
	if target.Tag == "" || target.Digest != (v1.Hash{}) {
		return Made{}, fmt.Errorf("loading %q: %w: name the image by a tag, an engine gives digests itself", target, compose.ErrUsage)
	}
	docker, err := engine.Open()
	if err != nil {
		return Made{}, err
	}
	defer func() { err = errors.Join(err, docker.Close()) }()
	image, err := e.engineImage(ctx, docker, report, target)
	if err != nil {
		return Made{}, err
	}
	if n := len(image.Attestations); n > 0 {
		e.note("note: Docker Engine takes no attestations: %d left out", n)
	}
	made := madeAt(target, image.Manifest.Digest)
	if dryRun {
		e.note("dry run, nothing written: %s would be %s %s", target, platform.Format(image.Platform()), image.Manifest.Digest)
		return made, nil
	}
	present, err := docker.Load(ctx, target, image.Manifest, image.Source)
	switch {
	case err != nil:
		return Made{}, err
	case present:
		e.note("unchanged %s", target)
	default:
		e.note("loaded %s: %s", target, platform.Format(image.Platform()))
	}
	return made, nil
}

// fitsEngine is nil when Docker Engine answers and, of several platforms, runs one: before they are built.
func fitsEngine(ctx context.Context, platforms []v1.Platform) (err error) {
	docker, err := engine.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, docker.Close()) }()
	own, err := docker.Platform(ctx)
	if err != nil {
		return err
	}
	var have []string
	for _, p := range platforms {
		if len(platforms) == 1 || platform.Satisfies(p, own) {
			return nil
		}
		have = append(have, platform.Format(p))
	}
	return hinted{
		fmt.Errorf("%w: Docker Engine takes one platform, its own, and %s is not among %s", build.ErrUsage, platform.Format(own), strings.Join(have, ", ")),
		"build " + platform.Format(own) + " too, or one platform alone",
	}
}

func (e *Env) engineImage(ctx context.Context, docker *engine.Engine, report inspect.Report, target registry.Ref) (inspect.Image, error) {
	if len(report.Images) == 1 {
		return report.Images[0], nil
	}
	own, err := docker.Platform(ctx)
	if err != nil {
		return inspect.Image{}, err
	}
	var have []string
	for _, image := range report.Images {
		if platform.Satisfies(image.Platform(), own) {
			e.note("note: Docker Engine takes one platform: %s of %d, its own", platform.Format(image.Platform()), len(report.Images))
			return image, nil
		}
		have = append(have, platform.Format(image.Platform()))
	}
	return inspect.Image{}, hinted{
		fmt.Errorf("loading %q: %w: no image for %s, the engine's platform, among %s",
			target, registry.ErrNotFound, platform.Format(own), strings.Join(have, ", ")),
		"copy one of them by its digest: mtool copy NAME@sha256:… " + target.String(),
	}
}
