package registrytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/registry"
)

// Endpoint is a source and target for the Suite, empty at the start of each test.
type Endpoint struct {
	Target registry.Target
	Source registry.Source
	// Resolve returns the manifest of a tag; for an unknown tag the error wraps registry.ErrNotFound.
	Resolve func(ctx context.Context, tag string) (registry.Manifest, error)
}

// Suite tests an implementation of registry.Target and registry.Source. open returns a new empty Endpoint, and closes
// it with t.Cleanup.
func Suite(t *testing.T, open func(t *testing.T) Endpoint) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Endpoint){
		"an image is read back byte for byte":     roundTrip,
		"a list is read back byte for byte":       listRoundTrip,
		"unknown members are kept":                unknownMembers,
		"a second push copies nothing":            twice,
		"a tag moves":                             tagMoves,
		"missing content is not found":            notFound,
		"corrupt bytes are refused":               corruptSource,
		"truncated bytes are refused":             truncatedSource,
		"a manifest before its blobs is refused":  manifestFirst,
		"a list before its children is refused":   listFirst,
		"a wrong size is an error":                wrongSize,
		"concurrent pushes":                       concurrent,
		"a cancelled context ends a push":         cancelled,
		"a push by digest changes no tag":         digestOnly,
		"a failed blob can be put again":          putAfterFailure,
		"an untyped manifest keeps its bytes":     untyped,
		"an attested list keeps its attestations": attested,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

func push(t *testing.T, p Endpoint, b Built, tag string) {
	t.Helper()
	if err := b.Push(t.Context(), p.Target, tag); err != nil {
		t.Fatalf("pushing %q: %v", tag, err)
	}
}

// same checks that p has everything in b, and the tag.
func same(t *testing.T, p Endpoint, b Built, tag string) {
	t.Helper()
	root, err := p.Resolve(t.Context(), tag)
	if err != nil {
		t.Fatalf("resolving %q: %v", tag, err)
	}
	if root.Digest != b.Digest() || string(root.Body) != string(b.Manifest.Body) ||
		root.MediaType != b.Manifest.MediaType {
		t.Errorf("%q: got %s %s %s, want %s %s %s", tag, root.MediaType, root.Digest, root.Body,
			b.Manifest.MediaType, b.Digest(), b.Manifest.Body)
	}
	for _, m := range b.Manifests {
		got, err := p.Source.Manifest(t.Context(), m.Descriptor())
		if err != nil || string(got.Body) != string(m.Body) || got.Digest != m.Digest || got.MediaType != m.MediaType {
			t.Errorf("manifest %s: got %s %s, %v", m.Digest, got.MediaType, got.Digest, err)
		}
	}
	for _, d := range b.Order {
		if data, err := read(t.Context(), p.Source, d); err != nil || string(data) != string(b.Blobs[d.Digest]) {
			t.Errorf("blob %s: %d bytes, %v", d.Digest, len(data), err)
		}
	}
}

func read(ctx context.Context, s registry.Source, d v1.Descriptor) ([]byte, error) {
	rc, err := s.Blob(ctx, d)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(rc)
	return data, errors.Join(err, rc.Close())
}

func roundTrip(t *testing.T, p Endpoint) {
	for _, docker := range []bool{false, true} {
		b := Image(ImageSpec{Platform: amd64, Layers: 3, Padding: 5000, Docker: docker})
		tag := fmt.Sprintf("docker-%t", docker)
		push(t, p, b, tag)
		same(t, p, b, tag)
	}
}

func listRoundTrip(t *testing.T, p Endpoint) {
	inner := ListOf(Image(ImageSpec{Platform: arm64}))
	b := List(ListSpec{
		Entries:     []Entry{{Built: Image(ImageSpec{Platform: amd64})}, {Built: inner}},
		Annotations: map[string]string{"a": "b"},
	})
	push(t, p, b, "v1")
	same(t, p, b, "v1")
}

func unknownMembers(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64})
	body := slices.Concat([]byte("{\n   \"x-unknown\": {\"b\": 1, \"a\": [ 2 ]},"), b.Manifest.Body[1:])
	b.Manifests = nil
	b.addManifest(b.Manifest.MediaType, body)
	push(t, p, b, "v1")
	same(t, p, b, "v1")
}

func twice(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64, Layers: 2})
	push(t, p, b, "v1")
	for _, d := range b.Order {
		if moved, err := p.Target.PutBlob(t.Context(), d, b.Source()); err != nil || moved != registry.Present {
			t.Errorf("putting %s again: moved %d, %v; want Present", d.Digest, moved, err)
		}
	}
	push(t, p, b, "v1")
	same(t, p, b, "v1")
}

func tagMoves(t *testing.T, p Endpoint) {
	first, second := Image(ImageSpec{Platform: amd64, Seed: "1"}), Image(ImageSpec{Platform: amd64, Seed: "2"})
	push(t, p, first, "v1")
	push(t, p, first, "other")
	push(t, p, second, "v1")
	same(t, p, second, "v1")
	same(t, p, first, "other")
}

func digestOnly(t *testing.T, p Endpoint) {
	first, second := Image(ImageSpec{Platform: amd64, Seed: "1"}), Image(ImageSpec{Platform: amd64, Seed: "2"})
	push(t, p, first, "v1")
	push(t, p, second, "")
	same(t, p, first, "v1")
	if m, err := p.Source.Manifest(t.Context(), second.Manifest.Descriptor()); err != nil || m.Digest != second.Digest() {
		t.Errorf("the manifest pushed by digest: got %s, %v", m.Digest, err)
	}
}

func untyped(t *testing.T, p Endpoint) {
	b := Image(ImageSpec{Platform: amd64, Untyped: true})
	push(t, p, b, "v1")
	same(t, p, b, "v1")
}

func attested(t *testing.T, p Endpoint) {
	image := Image(ImageSpec{Platform: amd64})
	b := List(ListSpec{Entries: []Entry{{Built: image}}, Attested: true})
	push(t, p, b, "v1")
	same(t, p, b, "v1")
	if a := Attestation(image.Manifest); !slices.ContainsFunc(b.Manifests,
		func(m registry.Manifest) bool { return m.Digest == a.Digest() }) {
		t.Error("the list was pushed without its attestation")
	}
}
