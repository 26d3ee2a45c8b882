package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/registry"
	"mtool/registry/regular"
	"mtool/registry/source"
)

// ParseSources parses the sources of a list: references, digests (in the repository of the list), and descriptors in
// JSON or in a file that ends in .json. A descriptor names a digest and overrides platform and annotations. Errors wrap
// registry.ErrName.
func ParseSources(list registry.Ref, args []string) ([]registry.Ref, []compose.Overrides, error) {
	refs, overrides := make([]registry.Ref, len(args)), make([]compose.Overrides, len(args))
	errs := make([]error, len(args))
	for i, arg := range args {
		refs[i], overrides[i], errs[i] = parseSource(list, arg)
	}
	return refs, overrides, errors.Join(errs...)
}

func parseSource(list registry.Ref, arg string) (registry.Ref, compose.Overrides, error) {
	text := strings.TrimSpace(arg)
	if strings.HasSuffix(text, ".json") {
		body, err := regular.Read(text, regular.MaxText)
		if err == nil {
			text = strings.TrimSpace(string(body))
		}
		if errors.Is(err, regular.ErrFile) {
			return registry.Ref{}, compose.Overrides{}, fmt.Errorf("reading descriptor: %w", err)
		}
	}
	if digest, err := v1.NewHash(text); err == nil {
		return digestIn(list, digest), compose.Overrides{}, nil
	}
	if strings.HasPrefix(text, "{") {
		return parseDescriptor(list, text)
	}
	ref, err := registry.ParseRef(arg)
	return ref, compose.Overrides{}, err
}

// digestIn returns the reference of a digest in the repository of the list.
func digestIn(list registry.Ref, digest v1.Hash) registry.Ref {
	ref := list.WithDigest(digest)
	if !list.Bare && !list.IsFile() {
		ref = ref.At(registry.TransportRegistry)
	}
	ref.Typed = ref.Name()
	return ref
}

func parseDescriptor(list registry.Ref, text string) (registry.Ref, compose.Overrides, error) {
	var d struct {
		v1.Descriptor
		Manifests json.RawMessage `json:"manifests"`
		Layers    json.RawMessage `json:"layers"`
	}
	fail := func(err error) (registry.Ref, compose.Overrides, error) {
		return registry.Ref{}, compose.Overrides{}, fmt.Errorf("reading descriptor %.40q: %w: %w", text,
			registry.ErrName, err)
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return fail(err)
	}
	switch {
	case d.Manifests != nil, d.Layers != nil:
		return fail(errors.New("it is a whole manifest, not a descriptor"))
	case d.Digest == v1.Hash{}:
		return fail(errors.New("it has no digest"))
	}
	overrides := compose.Overrides{Annotations: d.Annotations}
	if d.Platform != nil {
		overrides.Platform = *d.Platform
	}
	return digestIn(list, d.Digest), overrides, nil
}

// entries reads the sources and makes entries of them.
func (e names) entries(
	ctx context.Context, sources []registry.Ref, o EditOptions, r reading,
) (opened, []compose.Entry, error) {
	r.wait, r.ignoreMissing = o.Wait, o.IgnoreMissing
	if len(o.Platforms) > 0 {
		r.push = nil // it would upload all platforms
	}
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst, From: o.From, Compare: true}, r)
	if err != nil {
		return all, nil, err
	}
	var read []compose.Source
	for i, ref := range sources {
		if all.objects[i].Source == nil {
			continue // missing, which o allows
		}
		e.sayOther(all.objects[i])
		s := compose.Source{Ref: remembered(ref, all.objects[i].Ref, o.From), Report: all.reports[i]}
		if r.overrides != nil {
			s.Overrides = r.overrides[i]
		}
		read = append(read, s)
	}
	entries, notes, err := compose.FromReports(read, compose.SelectOptions{
		Platforms: o.Platforms, Attestations: compose.Attestations(o.Attestations), Force: o.Force, KeepLists: o.NoFlatten,
	})
	if err != nil {
		return opened{}, nil, errors.Join(err, all.Close())
	}
	e.sayAll(notes)
	return all, entries, nil
}

// remembered returns the source as a draft keeps it. If the name alone could be found elsewhere another time, that is
// with the transport of where it was found.
func remembered(source, found registry.Ref, from string) registry.Ref {
	if from != "" || source.Bare {
		return source.At(found.Transport)
	}
	return source
}
