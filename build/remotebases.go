package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/build/advice"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/remote"
)

// registryAnswer is what a registry says about one name.
type registryAnswer struct {
	ref    registry.Ref
	root   registry.Manifest
	images []inspect.Image // of a list, by its rows alone
	err    error
}

// askRegistries looks up every base that is not in the store: once for each name, all at once. It returns an error if
// a base does not exist, or not for its platform. An unreachable registry is no error if the worker may still
// succeed: it runs elsewhere, or it may have cached an image that is named by its digest.
func askRegistries(ctx context.Context, job Job, p plan) (map[string]registryAnswer, error) {
	if job.Options.Client == nil {
		return nil, nil
	}
	all, err := askAll(ctx, job.Options, p)
	if err != nil {
		return nil, err
	}
	var errs []error
	said := map[string]bool{}
	for i, target := range job.Spec.Platforms {
		for _, b := range p.requirements[i].Bases {
			answer, ok := all[b.source()]
			if !ok {
				continue
			}
			err := answer.serves(ctx, job, b)
			if err == nil || said[err.Error()] {
				continue
			}
			said[err.Error()] = true
			errs = append(errs, fmt.Errorf("building %s: %w", platform.Format(target), err))
		}
	}
	return all, errors.Join(errs...)
}

func askAll(ctx context.Context, o Options, p plan) (map[string]registryAnswer, error) {
	var names []string
	for i, n := range p.requirements {
		for _, b := range n.Bases {
			if !p.hasLocal(i, b) && !slices.Contains(names, b.source()) {
				names = append(names, b.source())
			}
		}
	}
	answers := make([]registryAnswer, len(names))
	var g errgroup.Group // the client limits the requests in flight
	for i, name := range names {
		g.Go(func() error { answers[i] = askFor(ctx, o, name); return nil })
	}
	_ = g.Wait()
	all := map[string]registryAnswer{}
	for i, name := range names {
		if !errors.Is(answers[i].err, registry.ErrName) { // BuildKit's error says what is wrong, and where
			all[name] = answers[i]
		}
	}
	return all, ctx.Err()
}

// hasLocal reports whether the store has base b for platform number i.
func (p plan) hasLocal(i int, b base) bool {
	return slices.ContainsFunc(p.bases[i], func(l localBase) bool { return l.equal(b) })
}

func askFor(ctx context.Context, o Options, name string) registryAnswer {
	ref, err := registry.ParseRef("docker://" + name)
	if err != nil {
		return registryAnswer{err: err}
	}
	a := registryAnswer{ref: ref}
	repository := o.Client.Repository(ref, remote.Pull)
	if a.root, a.err = repository.Resolve(ctx, ref); a.err == nil {
		a.images, a.err = offered(ctx, registry.Object{Ref: ref, Root: a.root, Source: repository})
	}
	return a
}

// offered returns the images under a root. It trusts the rows of a list: reading every config would take a request
// each.
func offered(ctx context.Context, object registry.Object) ([]inspect.Image, error) {
	if object.Root.IsList() {
		var list struct{ Manifests []v1.Descriptor }
		if err := json.Unmarshal(object.Root.Body, &list); err != nil {
			return nil, fmt.Errorf("%w: decoding list %s: %w", registry.ErrContent, object.Root.Digest, err)
		}
		if !slices.ContainsFunc(list.Manifests, needsReading) {
			var images []inspect.Image
			for _, d := range list.Manifests {
				if _, attestation := inspect.AttestationOf(d); !attestation {
					images = append(images, inspect.Image{Descriptor: d})
				}
			}
			return images, nil
		}
	}
	report, err := inspect.Read(ctx, object)
	return report.Images, err
}

// needsReading reports whether a row has no platform, or is a list itself.
func needsReading(d v1.Descriptor) bool {
	_, attestation := inspect.AttestationOf(d)
	return !attestation && (d.Platform == nil || platform.IsUnknown(*d.Platform) || d.MediaType.IsIndex())
}

// serves returns nil if the base exists for its platform, as far as this side knows.
func (a registryAnswer) serves(ctx context.Context, job Job, b base) error {
	_, found := choose(a.images, b.Platform)
	if !found && a.err == nil {
		a.err = unread(a.images)
	}
	if errors.Is(a.err, registry.ErrUnavailable) && (len(job.Spec.Workers) > 0 || a.ref.Digest != v1.Hash{}) {
		return nil
	}
	if a.err != nil {
		return fmt.Errorf("base image %q is not in the store: %w", b.Name, a.err)
	}
	if found {
		return nil
	}
	e := &missingBaseError{ref: a.ref, want: b.Platform, have: platformsOf(a.images)}
	e.Advice = advice.Say("take a base image that serves the platform, or leave the platform out")
	if !e.pinned() {
		return e
	}
	e.Advice = advice.Of(advice.PinList)
	if a.root.IsImage() && a.ref.Tag != "" {
		if list := listWith(ctx, job.Options.Client, a); list.Digest != (v1.Hash{}) {
			e.Advice = advice.Say(fmt.Sprintf("pin the list instead, which serves every platform: FROM %s@%s",
				a.ref.WithTag(a.ref.Tag).Familiar(), list.Digest))
		}
	}
	return e
}

// unread returns why images could not be read, one of which may be the wanted one.
func unread(images []inspect.Image) error {
	var errs []error
	for _, i := range images {
		errs = append(errs, i.Err)
	}
	return errors.Join(errs...)
}

// listWith returns the list that the tag next to a digest names now, if there is one; the tag may have moved since.
func listWith(ctx context.Context, c *remote.Client, a registryAnswer) (list registry.Manifest) {
	m, err := c.Repository(a.ref, remote.Pull).Resolve(ctx, a.ref.WithTag(a.ref.Tag))
	if err == nil && m.IsList() {
		list = m
	}
	return list
}

// missingBaseError is a base image in a registry that has no image of the platform.
type missingBaseError struct {
	ref  registry.Ref
	want v1.Platform
	have string
	advice.Advice
}

func (e *missingBaseError) Error() string {
	if e.pinned() {
		return fmt.Sprintf("base image %q is pinned to the image of %s alone, not to a list: it has no %s", e.ref.Familiar(),
			e.have, platform.Format(e.want))
	}
	return fmt.Sprintf("base image %q has no %s, only %s", e.ref.Familiar(), platform.Format(e.want), e.have)
}

func (e *missingBaseError) pinned() bool { return e.ref.Digest != v1.Hash{} }

func (e *missingBaseError) Unwrap() error { return registry.ErrNotFound }
