package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// CheckPlatforms checks, before they are built, that the environment's engine answers and takes images of these
// platforms: all of them, if it keeps lists; else one, or several with its own.
func CheckPlatforms(ctx context.Context, platforms []v1.Platform) (err error) {
	e, err := Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	keeps, err := e.KeepsLists(ctx)
	if keeps || err != nil {
		return err
	}
	host, err := e.Platform(ctx)
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
