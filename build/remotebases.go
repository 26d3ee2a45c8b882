package build

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

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

// triggers returns the ONBUILD steps of the base; none if only the worker can read it.
func (a registryAnswer) triggers(ctx context.Context, o Options, b base) ([]string, error) {
	image, ok := choose(a.images, b.Platform)
	if a.err != nil || !ok {
		return nil, nil //nolint:nilerr // askRegistries returns the errors that matter
	}
	if image.Manifest.Digest == (v1.Hash{}) { // only its row was read
		repository := o.Client.Repository(a.ref, remote.Pull)
		root, err := repository.Resolve(ctx, a.ref.WithDigest(image.Descriptor.Digest))
		if err != nil {
			return nil, fmt.Errorf("reading base image %q: %w", b.Name, err)
		}
		report, err := inspect.Read(ctx, registry.Object{Ref: a.ref, Root: root, Source: repository})
		if err != nil || len(report.Images) != 1 {
			return nil, err
		}
		image = report.Images[0]
	}
	details, err := image.Details()
	if err = cmp.Or(image.Err, err); err != nil {
		return nil, fmt.Errorf("reading base image %q: %w", b.Name, err)
	}
	return details.OnBuild, nil
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
