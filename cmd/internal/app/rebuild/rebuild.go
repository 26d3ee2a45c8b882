// Package rebuild builds published images again, as their provenance says that they were built, and says where the
// results differ from them.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build"
	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/diff"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/registry"
)

// Options say what to build again.
type Options struct {
	Ref       registry.Ref
	Platforms []v1.Platform // none: all that Ref has
	Context   string        // instead of the one that provenance names; "" means that one
	build.Execution
	Progress string
	Out      io.Writer // for progress
}

// Same is an image that was built again, byte for byte.
type Same struct {
	Platform v1.Platform
	Digest   v1.Hash
}

// Run builds every image again without a cache, and returns those that are the same. If one differs, the error wraps
// registry.ErrContent and says where first; if provenance does not say how an image was built, registry.ErrNotFound.
// Nothing stays in the store.
func Run(ctx context.Context, env *app.Env, o Options) (same []Same, err error) {
	found, err := env.Inspect(ctx, app.InspectOptions{
		Refs: []registry.Ref{o.Ref}, NoVerify: true, ProofOptions: app.ProofOptions{ReadProvenance: true},
	})
	if err != nil {
		return nil, err
	}
	if err := found[0].Err; err != nil {
		return nil, err
	}
	report, statements := found[0].Report, found[0].Statements
	var errs []error
	for i, image := range report.Images {
		if !o.wants(image.Platform()) {
			continue
		}
		err := image.Err
		if err == nil {
			err = o.one(ctx, env, image, statements[i])
		}
		if ctx.Err() != nil {
			return same, ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("rebuilding %s of %q: %w", platform.Format(image.Platform()), o.Ref, err))
			continue
		}
		same = append(same, Same{image.Platform(), image.Manifest.Digest})
	}
	if len(same) == 0 && len(errs) == 0 {
		return nil, fmt.Errorf("rebuilding %q: %w: it has none of the platforms", o.Ref, registry.ErrNotFound)
	}
	return same, errors.Join(errs...)
}

func (o Options) wants(p v1.Platform) bool {
	for _, want := range o.Platforms {
		if platform.Equal(want, p) {
			return true
		}
	}
	return len(o.Platforms) == 0
}

// one builds one image again and compares it.
func (o Options) one(
	ctx context.Context, env *app.Env, original inspect.Image, statements []provenance.Statement,
) (err error) {
	recipe, err := recipeOf(statements)
	if err != nil {
		return err
	}
	request, err := o.request(recipe, original)
	if err != nil {
		return err
	}
	defer func() {
		if gone := env.Store.Remove(context.WithoutCancel(ctx), request.Names[0]); !errors.Is(gone, registry.ErrNotFound) {
			err = errors.Join(err, gone)
		}
	}()
	if _, err := env.Build(ctx, request); err != nil {
		return err
	}
	object, err := env.Store.Get(ctx, request.Names[0])
	if err != nil {
		return err
	}
	report, err := inspect.Read(ctx, object)
	if err != nil {
		return err
	}
	where, err := diff.First(ctx, original, report.Images[0])
	if err != nil || where == "" {
		return err
	}
	err = fmt.Errorf("%w: it is %s, and this build made %s; they differ first in %s", registry.ErrContent,
		original.Manifest.Digest, report.Images[0].Manifest.Digest, where)
	if request.BuildArgs[epoch] == "" {
		return registry.WithHint(err, "the original was built without --source-date-epoch, so its times are those of its build")
	}
	return err
}

const epoch = "SOURCE_DATE_EPOCH" // https://reproducible-builds.org/specs/source-date-epoch/

// recipeOf returns the recipe in the provenance of an image.
func recipeOf(statements []provenance.Statement) (r provenance.Recipe, err error) {
	if len(statements) == 0 {
		return r, registry.WithHint(fmt.Errorf("%w: it has no provenance", registry.ErrNotFound),
			"build it with --provenance mode=max")
	}
	s := statements[0]
	if s.Err != nil {
		return r, s.Err
	}
	if r, err = s.Recipe(); err != nil {
		return r, err
	}
	if !r.Whole {
		return r, registry.WithHint(
			fmt.Errorf("%w: its provenance is of mode=min, which leaves out how it was built", registry.ErrNotFound),
			"build it with --provenance mode=max")
	}
	return r, nil
}

// request returns the build that a recipe states. Its only name is for this process alone.
func (o Options) request(r provenance.Recipe, original inspect.Image) (b app.BuildOptions, err error) {
	name, err := registry.ParseRef("mtool-rebuild:" + platform.Suffix(original.Platform()) + "-" + strconv.Itoa(os.Getpid()))
	if err != nil {
		return b, err
	}
	b = app.BuildOptions{
		Context: r.Context, Platforms: []v1.Platform{original.Platform()}, Names: []registry.Ref{name},
		BuildArgs: map[string]string{}, Labels: map[string]string{}, NoCache: true, NoVerify: true,
		Execution: o.Execution, Progress: o.Progress, Out: o.Out,
	}
	if o.Context != "" {
		b.Context = o.Context
	}
	if o.Context == "" && !fetched(r.Context) {
		return b, registry.WithHint(
			fmt.Errorf("%w: it was built from files of the machine that built it, not from an address", registry.ErrNotFound),
			"name the directory with --context DIR, or build from a Git address")
	}
	b.Annotations = annotationsOf(original)
	b.Contexts = map[string]string{}
	for name, digest := range r.Bases {
		if digest != "" {
			b.Contexts[name] = pinned(name, digest)
		}
	}
	return b, setArgs(&b, r)
}
