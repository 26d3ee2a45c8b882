package signature

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// Result has the signatures that were found for the content of a reference.
type Result struct {
	Verified bool // the signatures were verified with keys
	Root     Subject
	// Images are in the order of the report. They include the root, if it is a single image.
	Images []Subject
	// Attestations has the images' attestation manifests, by digest.
	Attestations map[v1.Hash]Subject
}

// Finder finds signatures where images are stored.
type Finder struct {
	Open func(context.Context, registry.Ref) (registry.Object, error)
	// Referrers returns the referrers of a subject, which is named by its digest.
	Referrers func(ctx context.Context, subject registry.Ref) ([]v1.Descriptor, error)
}

// Find looks for the signatures of the root and of everything in it, all at once, and verifies them if there are
// keys.
func (f Finder) Find(ctx context.Context, r inspect.Report, keys []Key) (*Result, error) {
	all := manifestsOf(r)
	results := make([][]Found, len(all))
	g, groupCtx := errgroup.WithContext(ctx) // the client limits the requests in flight
	for i, m := range all {
		g.Go(func() (err error) {
			if results[i], err = f.signaturesOf(groupCtx, r.Ref.WithDigest(m.Digest), m, keys); err != nil {
				err = fmt.Errorf("looking for signatures of %s in %q: %w", m.Digest, r.Ref, err)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	of := map[v1.Hash][]Found{}
	for i, m := range all {
		of[m.Digest] = results[i]
	}
	return resultOf(r, of, len(keys) > 0), nil
}

// manifestsOf returns the root, the images and their attestations, each once, without unreadable ones.
func manifestsOf(r inspect.Report) []registry.Manifest {
	all := []registry.Manifest{r.Root}
	add := func(m registry.Manifest) {
		known := slices.ContainsFunc(all, func(o registry.Manifest) bool { return o.Digest == m.Digest })
		if m.Digest != (v1.Hash{}) && !known {
			all = append(all, m)
		}
	}
	for _, img := range r.Images {
		add(img.Manifest)
		for _, a := range img.Attestations {
			add(a.Manifest)
		}
	}
	return all
}

// resultOf assigns the signatures to their subjects.
func resultOf(r inspect.Report, of map[v1.Hash][]Found, verified bool) *Result {
	s := &Result{
		Verified: verified, Attestations: map[v1.Hash]Subject{},
		Root: Subject{Name: "the list", Manifest: r.Root, Found: of[r.Root.Digest]},
	}
	for _, img := range r.Images {
		name := platform.Format(img.Platform())
		m := img.Manifest
		m.Digest = img.Descriptor.Digest // also for an unreadable image, which has no signatures here
		s.Images = append(s.Images, Subject{Name: name, Platform: name, Manifest: m, Found: of[img.Manifest.Digest]})
		for _, a := range img.Attestations {
			about := Subject{Name: "attestation", Manifest: a.Manifest, Found: of[a.Manifest.Digest]}
			s.Attestations[a.Descriptor.Digest] = about
		}
	}
	return s
}

// signaturesOf returns the signatures under cosign's tag, and those that refer to the subject.
func (f Finder) signaturesOf(
	ctx context.Context, subject registry.Ref, of registry.Manifest, keys []Key,
) ([]Found, error) {
	// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
	tag := registry.FallbackTag(subject.Digest) + ".sig"
	all, err := f.examine(ctx, subject.WithTag(tag), Found{Kind: KindCosign, Tag: tag}, of, keys)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, err
	}
	rows, err := f.Referrers(ctx, subject)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		kind := kindOf(row.ArtifactType)
		if kind == "" {
			continue
		}
		if len(all) >= maxFound {
			return nil, fmt.Errorf("%w: more than %d signatures", inspect.ErrLimit, maxFound)
		}
		one := Found{Kind: kind, Manifest: row.Digest}
		some, err := f.examine(ctx, subject.WithDigest(row.Digest), one, of, keys)
		if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrContent) {
			some, err = []Found{verify(one, layer{Err: err}, of, keys)}, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// maxFound limits how many signatures of one manifest are read. Anyone who can write to the repository can add any
// number.
const maxFound = 100

// examine verifies every layer of the manifest at ref.
func (f Finder) examine(
	ctx context.Context, ref registry.Ref, one Found, of registry.Manifest, keys []Key,
) (all []Found, err error) {
	object, err := f.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	one.Manifest = object.Root.Digest
	layers, err := layersOf(object.Root.Body)
	if err != nil {
		return []Found{verify(one, layer{Err: err}, of, keys)}, nil
	}
	for _, d := range layers {
		l := layer{Descriptor: d}
		if one.Kind != KindNotation {
			l.Content, l.Err = inspect.ReadBlob(ctx, object.Source, d, limitOf(one.Kind))
		}
		if errors.Is(l.Err, registry.ErrUnavailable) || errors.Is(l.Err, registry.ErrDenied) || ctx.Err() != nil {
			return nil, errors.Join(l.Err, ctx.Err())
		}
		all = append(all, verify(one, l, of, keys))
	}
	return all, nil
}
