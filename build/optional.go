package build

import (
	"context"
	"errors"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/platform"
	"mtool/registry"
)

// Missing is an optional platform that was not built, and why.
type Missing struct {
	Platform v1.Platform
	Err      error
}

// checkOptional refuses optional platforms that are not to be built, and builds that need none of their platforms.
func checkOptional(s Spec) error {
	for i, p := range s.Optional {
		switch {
		case !hasPlatform(s.Platforms, p):
			return registry.Usagef("optional platform %s is not one of those to build: %s", platform.Format(p),
				strings.Join(platform.FormatAll(s.Platforms), ", "))
		case hasPlatform(s.Optional[:i], p):
			return registry.Usagef("optional platform %s is named twice", platform.Format(p))
		}
	}
	if len(s.Optional) == len(s.Platforms) {
		return registry.Usagef("every platform is optional: a list needs at least one that is not")
	}
	return nil
}

func hasPlatform(all []v1.Platform, p v1.Platform) bool {
	return slices.ContainsFunc(all, func(q v1.Platform) bool { return platform.Equal(p, q) })
}

// forgives reports whether a build goes on without p after err. Mistakes of the user and interruptions end it.
func (s Spec) forgives(p v1.Platform, err error) bool {
	return hasPlatform(s.Optional, p) && !errors.Is(err, context.Canceled) && !errors.Is(err, registry.ErrUsage)
}

// possible returns the job without the optional platforms that can't be built here. errs says why, by the number of the
// platform in the whole job.
func (j Job) possible(ctx context.Context, d *dockerfile) (left Job, errs []error, err error) {
	left, errs = j, make([]error, len(j.Spec.Platforms))
	left.Spec.Platforms = nil
	for i, target := range j.Spec.Platforms {
		if hasPlatform(j.Spec.Optional, target) {
			errs[i] = j.tryPlatform(ctx, d, target)
			if errs[i] != nil && (ctx.Err() != nil || !j.Spec.forgives(target, errs[i])) {
				return j, nil, errs[i]
			}
		}
		if errs[i] == nil {
			left.Spec.Platforms = append(left.Spec.Platforms, target)
		}
	}
	return left, errs, nil
}

// tryPlatform plans one platform alone. Its notes come when the whole job is planned.
func (j Job) tryPlatform(ctx context.Context, d *dockerfile, target v1.Platform) error {
	j.Spec.Platforms, j.Options.Note = []v1.Platform{target}, nil
	p, err := newPool(ctx, j, d, true)
	if err != nil {
		return err
	}
	return p.close()
}

// withMissing puts a layout with an error in the place of each platform that could not be built.
func withMissing(built []Layout, errs []error) []Layout {
	all := make([]Layout, len(errs))
	for i, err := range errs {
		if err != nil {
			all[i].Err = err
			continue
		}
		all[i], built = built[0], built[1:]
	}
	return all
}
