package registrytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Built is an image or a list with all content that it refers to.
type Built struct {
	// Manifest is the image or list itself.
	Manifest registry.Manifest
	// Manifests are all manifests, each after its children, and so Manifest last. Those that a ListSpec marks as
	// missing are left out.
	Manifests []registry.Manifest
	// Blobs are all configs and layers.
	Blobs map[v1.Hash][]byte
	// Order has the descriptors of Blobs in the order of a push.
	Order []v1.Descriptor
	// Platform is the config's; zero for a list.
	Platform v1.Platform
}

func (b *Built) addBlob(mediaType types.MediaType, data []byte) v1.Descriptor {
	d := v1.Descriptor{MediaType: mediaType, Digest: Hash(data), Size: int64(len(data))}
	if _, ok := b.Blobs[d.Digest]; !ok {
		b.Order = append(b.Order, d)
	}
	b.Blobs[d.Digest] = data
	return d
}

func (b *Built) addManifest(mediaType types.MediaType, body []byte) {
	b.Manifest = newManifest(mediaType, body)
	b.Manifests = append(b.Manifests, b.Manifest)
}

// add adds the content of child that b does not have yet.
func (b *Built) add(child Built) {
	for _, d := range child.Order {
		b.addBlob(d.MediaType, child.Blobs[d.Digest])
	}
	for _, m := range child.Manifests {
		if !slices.ContainsFunc(b.Manifests, func(have registry.Manifest) bool { return have.Digest == m.Digest }) {
			b.Manifests = append(b.Manifests, m)
		}
	}
}

// Digest returns the digest of the image or list itself.
func (b Built) Digest() v1.Hash { return b.Manifest.Digest }

// Without returns b without the manifests and blobs of these digests, as if they had been deleted.
func (b Built) Without(digests ...v1.Hash) Built {
	out := Built{Manifest: b.Manifest, Blobs: map[v1.Hash][]byte{}, Platform: b.Platform}
	for _, d := range b.Order {
		if !slices.Contains(digests, d.Digest) {
			out.addBlob(d.MediaType, b.Blobs[d.Digest])
		}
	}
	for _, m := range b.Manifests {
		if !slices.Contains(digests, m.Digest) {
			out.Manifests = append(out.Manifests, m)
		}
	}
	return out
}

// Push pushes everything to t bottom-up, and the tag last. Without a tag, b is pushed by digest only.
func (b Built) Push(ctx context.Context, t registry.Target, tag string) error {
	source := b.Source()
	for _, d := range b.Order {
		if _, err := t.PutBlob(ctx, d, source); err != nil {
			return fmt.Errorf("pushing blob %s: %w", d.Digest, err)
		}
	}
	for _, m := range b.Manifests {
		if tag != "" && m.Digest == b.Manifest.Digest {
			continue
		}
		if err := t.PutManifest(ctx, m); err != nil {
			return fmt.Errorf("pushing manifest %s: %w", m.Digest, err)
		}
	}
	if tag == "" {
		return nil
	}
	if err := t.PutTag(ctx, tag, b.Manifest); err != nil {
		return fmt.Errorf("pushing tag %q: %w", tag, err)
	}
	return nil
}

// Object returns b as if it had been opened under ref.
func (b Built) Object(ref registry.Ref) registry.Object {
	return registry.Object{Ref: ref, Root: b.Manifest, Source: b.Source()}
}

// Source returns a source that reads b from memory.
func (b Built) Source() registry.Source { return memory{b} }

type memory struct{ built Built }

func (m memory) Manifest(_ context.Context, d v1.Descriptor) (registry.Manifest, error) {
	for _, have := range m.built.Manifests {
		if have.Digest == d.Digest {
			return have, checkSize(d, int64(len(have.Body)))
		}
	}
	return registry.Manifest{}, fmt.Errorf("reading manifest %s from memory: %w", d.Digest, registry.ErrNotFound)
}

func (m memory) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	data, ok := m.built.Blobs[d.Digest]
	if !ok {
		return nil, fmt.Errorf("reading blob %s from memory: %w", d.Digest, registry.ErrNotFound)
	}
	if err := checkSize(d, int64(len(data))); err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// checkSize returns an error if d has a size other than size. The size 0 means unknown.
func checkSize(d v1.Descriptor, size int64) error {
	if d.Size != 0 && d.Size != size {
		return fmt.Errorf("reading %s from memory: it has %d bytes, its descriptor says %d: %w", d.Digest, size, d.Size,
			registry.ErrContent)
	}
	return nil
}

// noise returns incompressible bytes that are the same in every run.
func noise(seed string, i, size int) []byte {
	data := make([]byte, size)
	_, err := rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%s %d", seed, i))).Read(data)
	must(err)
	return data
}
