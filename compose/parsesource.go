package compose

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
	"mtool/registry/regular"
)

// ParseSources parses the sources of a list: references, digests (in the repository of the list), and descriptors in
// JSON or in a file that ends in .json. A descriptor names a digest and overrides platform and annotations. Errors wrap
// registry.ErrName.
func ParseSources(list registry.Ref, args []string) ([]registry.Ref, []Overrides, error) {
	refs, overrides := make([]registry.Ref, len(args)), make([]Overrides, len(args))
	errs := make([]error, len(args))
	for i, arg := range args {
		refs[i], overrides[i], errs[i] = parseSource(list, arg)
	}
	return refs, overrides, errors.Join(errs...)
}

func parseSource(list registry.Ref, arg string) (registry.Ref, Overrides, error) {
	text := strings.TrimSpace(arg)
	if strings.HasSuffix(text, ".json") {
		body, err := regular.Read(text, regular.MaxText)
		if err == nil {
			text = strings.TrimSpace(string(body))
		}
		if errors.Is(err, regular.ErrFile) {
			return registry.Ref{}, Overrides{}, fmt.Errorf("reading descriptor: %w", err)
		}
	}
	if digest, err := v1.NewHash(text); err == nil {
		return digestIn(list, digest), Overrides{}, nil
	}
	if strings.HasPrefix(text, "{") {
		return parseDescriptor(list, text)
	}
	ref, err := registry.ParseRef(arg)
	return ref, Overrides{}, err
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

func parseDescriptor(list registry.Ref, text string) (registry.Ref, Overrides, error) {
	var d struct {
		v1.Descriptor
		Manifests json.RawMessage `json:"manifests"`
		Layers    json.RawMessage `json:"layers"`
	}
	fail := func(err error) (registry.Ref, Overrides, error) {
		return registry.Ref{}, Overrides{}, fmt.Errorf("reading descriptor %.40q: %w: %w", text,
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
	overrides := Overrides{Annotations: d.Annotations}
	if d.Platform != nil {
		overrides.Platform = *d.Platform
	}
	return digestIn(list, d.Digest), overrides, nil
}
