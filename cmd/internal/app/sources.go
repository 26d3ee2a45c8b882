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

// ParseSources reads the sources of a list as a user types them: references, a bare digest (in the list's own
// repository), and descriptors in JSON, as they are or in a file that ends in .json. A descriptor's platform and
// annotations are what is stated of the source; it is always read by its digest. Errors wrap registry.ErrName.
func ParseSources(list registry.Ref, words []string) ([]registry.Ref, []compose.Overrides, error) {
	refs, stated := make([]registry.Ref, len(words)), make([]compose.Overrides, len(words))
	errs := make([]error, len(words))
	for i, word := range words {
		refs[i], stated[i], errs[i] = parseSource(list, word)
	}
	return refs, stated, errors.Join(errs...)
}

func parseSource(list registry.Ref, word string) (registry.Ref, compose.Overrides, error) {
	text := strings.TrimSpace(word)
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
		return within(list, digest), compose.Overrides{}, nil
	}
	if strings.HasPrefix(text, "{") {
		return parseDescriptor(list, text)
	}
	ref, err := registry.ParseRef(word)
	return ref, compose.Overrides{}, err
}

// within is the content of a digest in the list's own repository, in a registry.
func within(list registry.Ref, digest v1.Hash) registry.Ref {
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
		return fail(errors.New("this is a whole manifest, not the descriptor of one"))
	case d.Digest == v1.Hash{}:
		return fail(errors.New("it has no digest"))
	}
	stated := compose.Overrides{Annotations: d.Annotations}
	if d.Platform != nil {
		stated.Platform = *d.Platform
	}
	return within(list, d.Digest), stated, nil
}

// entries reads the sources and makes entries of them, with a line for each.
func (e names) entries(
	ctx context.Context, sources []registry.Ref, o EditOptions, r reading,
) (opened, []compose.Entry, error) {
	r.wait, r.ignore = o.Wait, o.IgnoreMissing
	if len(o.Platforms) > 0 {
		r.push = nil // not everything is wanted
	}
	all, err := e.read(ctx, sources, source.Options{Order: source.LocalFirst, From: o.From, Compare: true}, r)
	if err != nil {
		return all, nil, err
	}
	var told []compose.Source
	for i, ref := range sources {
		if all.objects[i].Source == nil {
			continue // it is missing, and that is all right
		}
		e.sayOther(all.objects[i])
		t := compose.Source{Ref: remembered(ref, all.objects[i].Ref, o.From), Report: all.reports[i]}
		if r.overrides != nil {
			t.Overrides = r.overrides[i]
		}
		told = append(told, t)
	}
	entries, notes, err := compose.FromReports(told, compose.SelectOptions{
		Platforms: o.Platforms, Attestations: compose.Attestations(o.Attestations), Force: o.Force, KeepLists: o.NoFlatten,
	})
	if err != nil {
		return opened{}, nil, errors.Join(err, all.Close())
	}
	e.sayAll(notes)
	return all, entries, nil
}

// remembered is the source as a draft keeps it: as told, but in the place where it was found when the name alone would
// find it elsewhere at another time.
func remembered(told, found registry.Ref, from string) registry.Ref {
	if from != "" || told.Bare {
		return told.At(found.Transport)
	}
	return told
}
