package app

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/engine"
)

// loadEngine loads into Docker Engine: if p is zero, the whole list where the engine keeps lists; else one image, that
// of p, the only one or that of the engine's platform.
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
	if report.List != nil && platform.IsUnknown(p) {
		if keeps, err := docker.KeepsLists(ctx); keeps || err != nil {
			return report.Root.Digest, errors.Join(err, e.loadList(ctx, docker, report, target, dryRun))
		}
	}
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

// loadList loads a list, with all that belongs to it, into an engine that keeps lists.
func (e *Env) loadList(
	ctx context.Context, docker *engine.Engine, report inspect.Report, target registry.Ref, dryRun bool,
) error {
	if dryRun {
		e.note("dry run, nothing written: %s would be the list %s", target, report.Root.Digest)
		return nil
	}
	has, err := docker.Has(ctx, target, report.Root.Digest)
	switch {
	case err != nil:
		return err
	case has:
		e.note("unchanged %s", target)
		return nil
	}
	load := docker.StartListLoad(ctx, target)
	file := registry.Ref{Transport: registry.TransportArchive, Tag: target.Name()}
	err = load.End(ctx, publish.Whole(ctx, report, file, load, e.tell))
	if err == nil {
		e.note("loaded %s: a list of %s", target, inspect.Count(len(report.Images), "image"))
	}
	return err
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
	image, err := report.ImageFor(want, origin)
	if err != nil {
		return image, registry.WithHint(fmt.Errorf("loading %q: %w", target, err),
			"choose one of them with --platform")
	}
	if !given {
		e.note("note: Docker Engine takes one platform: %s of %d, its own; from version 25 on, with containerd's image "+
			"store, it takes them all", platform.Format(image.Platform()), len(report.Images))
	}
	return image, nil
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
