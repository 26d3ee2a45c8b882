package build

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/build/advice"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
	"mtool/registry/archive"
	"mtool/registry/store"
)

// localBase is a base image in the local store or in a layout.
type localBase struct {
	base
	Ref    registry.Ref
	Digest v1.Hash // of the image, even if the name is a list's
	// Triggers are its ONBUILD steps.
	Triggers []string
}

// localBases looks for the bases in the store, or in the layouts named for them. A base that is there only for
// another platform is an error that wraps registry.ErrNotFound: the registry may have a different image of that name,
// which the user can't have meant.
func localBases(ctx context.Context, job Job, bases []base) ([]localBase, error) {
	var found []localBase
	for _, b := range bases {
		ref, ok, err := baseRef(b)
		if err != nil {
			return nil, err
		}
		if !ok || b.Given == "" && job.Spec.Pull {
			continue
		}
		image, ref, err := findLocalBase(ctx, job.Options, ref, b)
		switch {
		case errors.Is(err, errNotLocal) && strings.HasPrefix(b.Given, storeScheme):
			return nil, fmt.Errorf("finding build context %q: %w: %q", b.Name, registry.ErrNotFound, ref)
		case errors.Is(err, errNotLocal):
		case err != nil:
			return nil, fmt.Errorf("finding base image %q: %w", b.Name, err)
		default:
			details, _ := image.Details() // BuildKit's error says what is wrong with a config
			found = append(found, localBase{base: b, Ref: ref, Digest: image.Manifest.Digest, Triggers: details.OnBuild})
		}
	}
	return found, nil
}

var errNotLocal = errors.New("not in the store")

// findLocalBase returns the image of a base and what has it: ref, or a draft of that name.
func findLocalBase(ctx context.Context, o Options, ref registry.Ref, b base) (inspect.Image, registry.Ref, error) {
	object, err := openLocal(ctx, o, ref, b)
	if err != nil {
		return inspect.Image{}, ref, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	ref = object.Ref
	report, err := inspect.Read(ctx, object)
	if err != nil {
		return inspect.Image{}, ref, err
	}
	image, ok := choose(report.Images, b.Platform)
	if !ok {
		if err := unread(report.Images); err != nil {
			return inspect.Image{}, ref, err
		}
		return inspect.Image{}, ref, &wrongBaseError{
			ref, b.Platform, platformsOf(report.Images),
			advice.Of(advice.RemoveBase, platform.Format(b.Platform), typed(ref)),
		}
	}
	if image.Err == nil && ref.Transport == registry.TransportDraft {
		return image, ref, inStore(o.Store, image, ref)
	}
	return image, ref, image.Err
}

// typed returns a name as a user types it. A draft's needs its transport where the store may have the name too.
func typed(ref registry.Ref) string {
	if ref.Transport == registry.TransportDraft {
		return string(ref.Transport) + ":" + ref.Familiar()
	}
	return ref.Familiar()
}

// inStore returns an error if the store lacks a part of an image of a draft: a worker reads base images from there.
func inStore(images *store.Store, image inspect.Image, draft registry.Ref) error {
	refs, err := image.Manifest.Refs()
	if err != nil {
		return err
	}
	parts := append(refs.Layers, image.Manifest.Descriptor())
	if refs.Config != nil {
		parts = append(parts, *refs.Config)
	}
	for _, d := range parts {
		f, err := images.File(d.Digest)
		if errors.Is(err, registry.ErrNotFound) {
			return advice.With(fmt.Errorf("draft %q has it, but its content is not in the store: %w", draft.Familiar(), err),
				advice.Of(advice.StoreDraft, draft.Familiar(), draft.Familiar()))
		}
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

// openLocal opens a file, or a name that a draft or else the store has.
func openLocal(ctx context.Context, o Options, ref registry.Ref, b base) (registry.Object, error) {
	if ref.IsFile() {
		return archive.Open(ctx, ref)
	}
	if asTyped, err := registry.ParseRef(b.Name); err == nil && asTyped.Bare && asTyped.MayBeDraft() && b.Given == "" &&
		o.Draft != nil {
		if object, found, err := o.Draft(ctx, ref.At(registry.TransportDraft)); found {
			return object, err
		}
	}
	object, err := o.Store.Get(ctx, ref)
	if errors.Is(err, registry.ErrNotFound) && strings.HasPrefix(b.Given, storeScheme) && o.Draft != nil {
		if list, found, err := o.Draft(ctx, ref.At(registry.TransportDraft)); found {
			return list, err
		}
	}
	if errors.Is(err, registry.ErrNotFound) {
		err = errNotLocal
	}
	return object, err
}

// choose returns the image of exactly the platform, else one of a lower variant, which the processor also runs.
func choose(images []inspect.Image, want v1.Platform) (inspect.Image, bool) {
	for _, i := range images {
		if platform.Equal(i.Platform(), want) {
			return i, true
		}
	}
	runs := platforms.Only(spec(want))
	for _, i := range images {
		if have := i.Platform(); have.Architecture == want.Architecture && runs.Match(spec(have)) {
			return i, true
		}
	}
	return inspect.Image{}, false
}

// unread returns why images could not be read, one of which may be the wanted one.
func unread(images []inspect.Image) error {
	var errs []error
	for _, i := range images {
		errs = append(errs, i.Err)
	}
	return errors.Join(errs...)
}

func platformsOf(images []inspect.Image) string {
	var all []string
	for _, i := range images {
		all = append(all, platform.Format(i.Platform()))
	}
	return strings.Join(all, ", ")
}

// wrongBaseError is a base image of another platform.
type wrongBaseError struct {
	ref  registry.Ref
	want v1.Platform
	have string
	advice.Advice
}

func (e *wrongBaseError) Error() string {
	return fmt.Sprintf("%q is %s, not %s", e.ref.String(), e.have, platform.Format(e.want))
}

func (e *wrongBaseError) Unwrap() error { return registry.ErrNotFound }

const (
	imageScheme  = "docker-image://"
	layoutScheme = "oci-layout://"
	storeScheme  = "store:"
)

// isImage reports whether a named build context is an image, and not a directory, a Git repository or an archive.
func isImage(given string) bool {
	for _, scheme := range []string{imageScheme, layoutScheme, storeScheme} {
		if strings.HasPrefix(given, scheme) {
			return true
		}
	}
	return false
}

// isRemote reports whether the worker fetches a named build context by itself.
func isRemote(given string) bool {
	return strings.Contains(given, "://") || strings.HasPrefix(given, "git@")
}

// contextKey returns the short form of a reference without ":latest", in which the frontend compares images with
// contexts.
func contextKey(name string) string {
	ref, err := registry.ParseRef("docker://" + name)
	if err != nil {
		return strings.ToLower(name)
	}
	return shortName(ref)
}

func shortName(ref registry.Ref) string {
	if ref.Tag == "latest" && ref.Digest == (v1.Hash{}) {
		return ref.WithTag("").Familiar()
	}
	return ref.Familiar()
}

// contextKeys returns the contexts by contextKey.
func contextKeys(contexts map[string]string) map[string]string {
	keys := make(map[string]string, len(contexts))
	for name, given := range contexts {
		keys[contextKey(name)] = given
	}
	return keys
}

// contextMount returns the name by which a worker requests the directory of a named build context.
func contextMount(name string) string { return "context:" + contextKey(name) }

// baseRef returns where to look for a base image before any registry; false means nowhere.
func baseRef(b base) (registry.Ref, bool, error) {
	if rest, ok := strings.CutPrefix(b.Given, layoutScheme); ok {
		ref, err := registry.ParseRef("oci:" + rest)
		if err != nil {
			return ref, false, registry.Usagef("build context %q: %w", b.Name, err)
		}
		return ref, true, nil
	}
	if strings.HasPrefix(b.Given, storeScheme) {
		ref, err := registry.ParseRef(b.Given)
		if err != nil {
			return ref, false, registry.Usagef("build context %q: %w", b.Name, err)
		}
		return ref, true, nil
	}
	ref, err := registry.ParseRef("docker://" + b.source())
	if err != nil {
		return ref, false, nil //nolint:nilerr // BuildKit's error says what is wrong, and where
	}
	return ref.At(registry.TransportStore), true, nil
}
