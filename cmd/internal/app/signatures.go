package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/signature"
	"mtool/registry"
)

// SignatureOptions say whether signatures are looked for. The zero value looks for none.
type SignatureOptions struct {
	Signatures bool // look for them; without Keys that is all
	Keys       []signature.Key
	Scope      signature.Scope // what must be signed by one of Keys; "": all
}

// Signatures are those that were found for what is under a reference.
type Signatures struct {
	Verified bool // against keys
	Root     signature.Subject
	// Images are in the order of the report's. The root itself, when that is a single image, is here too.
	Images []signature.Subject
	// Attestations are those of the images' attestation manifests, by digest.
	Attestations map[v1.Hash]signature.Subject
}

// signatures looks for the signatures of the root and of everything in it, all at once.
func (e names) signatures(ctx context.Context, r inspect.Report, keys []signature.Key) (*Signatures, error) {
	all := manifestsOf(r)
	results := make([][]signature.Found, len(all))
	g, groupCtx := errgroup.WithContext(ctx) // the client limits the requests in flight
	for i, m := range all {
		g.Go(func() (err error) {
			if results[i], err = e.signaturesOf(groupCtx, compose.Subject{From: r.Ref, Digest: m.Digest}, m, keys); err != nil {
				err = fmt.Errorf("looking for signatures of %s in %q: %w", m.Digest, r.Ref, err)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	of := map[v1.Hash][]signature.Found{}
	for i, m := range all {
		of[m.Digest] = results[i]
	}
	return signaturesIn(r, of, len(keys) > 0), nil
}

// manifestsOf are the root, the images and their attestations, each once; what could not be read is not there.
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

// signaturesIn gives what was found to those that it was found for.
func signaturesIn(r inspect.Report, of map[v1.Hash][]signature.Found, verified bool) *Signatures {
	s := &Signatures{
		Verified: verified, Root: signature.Subject{Name: "the list", Manifest: r.Root, Found: of[r.Root.Digest]}, Attestations: map[v1.Hash]signature.Subject{},
	}
	for _, img := range r.Images {
		name := platform.Format(img.Platform())
		m := img.Manifest
		m.Digest = img.Descriptor.Digest // also of one that could not be read, for which nothing was looked for
		s.Images = append(s.Images, signature.Subject{Name: name, Platform: name, Manifest: m, Found: of[img.Manifest.Digest]})
		for _, a := range img.Attestations {
			s.Attestations[a.Descriptor.Digest] = signature.Subject{Name: "attestation", Manifest: a.Manifest, Found: of[a.Manifest.Digest]}
		}
	}
	return s
}

// signaturesOf are those under cosign's tag, and those that refer to the subject.
func (e names) signaturesOf(ctx context.Context, s compose.Subject, of registry.Manifest, keys []signature.Key) ([]signature.Found, error) {
	tag := registry.FallbackTag(s.Digest) + ".sig" // https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
	all, err := e.examine(ctx, s.From.WithTag(tag), signature.Found{Kind: signature.KindCosign, Tag: tag}, of, keys)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, err
	}
	rows, err := e.publisher().ReferrersOf(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		kind := signature.KindOf(row.ArtifactType)
		if kind == "" {
			continue
		}
		if len(all) >= maxSignatures {
			return nil, fmt.Errorf("%w: more than %d signatures", inspect.ErrLimit, maxSignatures)
		}
		f := signature.Found{Kind: kind, Manifest: row.Digest}
		some, err := e.examine(ctx, s.From.WithDigest(row.Digest), f, of, keys)
		if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrContent) {
			some, err = []signature.Found{signature.Examine(f, signature.Layer{Err: err}, of, keys)}, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// maxSignatures of one manifest are read. Whoever may write to the repository may add any number.
const maxSignatures = 100

// examine verifies every layer of the manifest at ref.
func (e names) examine(ctx context.Context, ref registry.Ref, f signature.Found, of registry.Manifest, keys []signature.Key) (all []signature.Found, err error) {
	object, err := e.open(ctx, ref, lookup(""))
	if err != nil {
		return nil, err
	}
	defer object.Close() //nolint:errcheck // opened for reading only
	f.Manifest = object.Root.Digest
	layers, err := signature.Layers(object.Root.Body)
	if err != nil {
		return []signature.Found{signature.Examine(f, signature.Layer{Err: err}, of, keys)}, nil
	}
	for _, d := range layers {
		l := signature.Layer{Descriptor: d}
		if f.Kind != signature.KindNotation {
			l.Content, l.Err = inspect.ReadBlob(ctx, object.Source, d, signature.Limit(f.Kind))
		}
		if errors.Is(l.Err, registry.ErrUnavailable) || errors.Is(l.Err, registry.ErrDenied) || ctx.Err() != nil {
			return nil, errors.Join(l.Err, ctx.Err())
		}
		all = append(all, signature.Examine(f, l, of, keys))
	}
	return all, nil
}
