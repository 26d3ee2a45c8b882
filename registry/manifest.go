package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Manifest is an image manifest or a list, as exact bytes. It is never re-encoded.
type Manifest struct {
	MediaType types.MediaType
	Digest    v1.Hash
	Body      []byte
}

// NewManifest computes the digest of body. An empty mediaType is read from the body's mediaType member and, where that is
// missing too, told from its members (OCI image-spec 1.0 manifests need not name their own type).
func NewManifest(mediaType types.MediaType, body []byte) (Manifest, error) {
	digest, _, err := v1.SHA256(bytes.NewReader(body))
	if err != nil {
		return Manifest{}, err
	}
	if mediaType == "" {
		if mediaType, err = SniffMediaType(body); err != nil {
			return Manifest{}, fmt.Errorf("reading manifest %s: %w", digest, err)
		}
	}
	return Manifest{MediaType: mediaType, Digest: digest, Body: body}, nil
}

func SniffMediaType(body []byte) (types.MediaType, error) {
	var m struct {
		MediaType     types.MediaType `json:"mediaType"`
		SchemaVersion int             `json:"schemaVersion"`
		Manifests     json.RawMessage `json:"manifests"` // as it is: apart, millions of empty rows would fill the memory
		Config        json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return "", fmt.Errorf("%w: not JSON: %w", ErrContent, err)
	}
	switch {
	case m.MediaType != "":
		return m.MediaType, nil
	case len(m.Manifests) > 0 && m.Manifests[0] == '[':
		return types.OCIImageIndex, nil
	case m.Config != nil:
		return types.OCIManifestSchema1, nil
	}
	return "", fmt.Errorf("%w: neither an image manifest nor a list", ErrContent)
}

// Descriptor is the manifest's media type, digest and size.
func (m Manifest) Descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Body))}
}

// IsList reports whether the manifest is an OCI image index or a Docker manifest list.
func (m Manifest) IsList() bool { return m.MediaType.IsIndex() }

// IsImage reports whether the manifest is an OCI or Docker image manifest.
func (m Manifest) IsImage() bool { return m.MediaType.IsImage() }

// ArtifactManifest is the type that image-spec 1.1 dropped before its release; some registries still serve it.
const ArtifactManifest types.MediaType = "application/vnd.oci.artifact.manifest.v1+json"

// PointsToBlob reports whether a row of a list points to something that no registry serves as a manifest, as the list of a
// build cache does.
func PointsToBlob(row v1.Descriptor) bool {
	t := row.MediaType
	return t != "" && t != ArtifactManifest && !t.IsImage() && !t.IsIndex() && !t.IsSchema1()
}

// Source reads the content under one name, wherever it lies. Implementations verify the digest and the size of what they
// hand out: a Manifest before it is returned, a Blob when its end is read (the error wraps ErrContent). They are safe for
// use from several goroutines.
type Source interface {
	// Manifest returns the manifest or list that d names. A missing one is an error that wraps ErrNotFound.
	Manifest(ctx context.Context, d v1.Descriptor) (Manifest, error)
	// Blob opens the config or layer that d names. A missing one is an error that wraps ErrNotFound.
	Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// Target takes content in: blobs first, then manifests that refer to them, tags last.
// *Repository, store.Writer and archive.Writer are targets.
type Target interface {
	// PutBlob makes the blob present: already there, mounted from a repository of the same registry, or copied from src.
	PutBlob(ctx context.Context, d v1.Descriptor, src Source) (Moved, error)
	// PutManifest makes m present under its digest, without touching any tag.
	PutManifest(ctx context.Context, m Manifest) error
	// PutTag makes m present and tag point to it.
	PutTag(ctx context.Context, tag string, m Manifest) error
}

// Moved says how a blob came to be at its target.
type Moved int

// The ways of a blob.
const (
	Present Moved = iota // it was there already
	Mounted              // mounted from another repository of the same registry; no bytes moved
	Copied               // its bytes were sent
)

// Object is what a Ref was found to be: the bytes of its root manifest and the source of everything below it.
type Object struct {
	Ref    Ref      // where it was found: the transport that had it, the name as asked
	Root   Manifest // the image or list itself
	Source Source   // reads children, configs and layers
	// Names are what a file calls the object: full references, or tags alone; nil elsewhere.
	Names []string
	// Other is the digest that the place not used has under the same name, when it differs (the store's name in a
	// registry); zero otherwise.
	Other v1.Hash
	// Missing are the rows of the list that a file does not hold, so that Root is an image or a list without them; nil where
	// the file is whole.
	Missing []v1.Descriptor
	// Closer releases files that Source holds open; nil where there are none.
	Closer io.Closer
}

// Close releases what the object holds open. Closing the zero Object is fine.
func (o Object) Close() error {
	if o.Closer == nil {
		return nil
	}
	return o.Closer.Close()
}

// ManifestType believes the body first, then a Content-Type that is one of a manifest, then the members of the body. One that
// is called an image by one of them and a list by another is refused: containerd and crane go by the Content-Type.
func ManifestType(contentType string, body []byte) (types.MediaType, error) {
	contentType, _, _ = strings.Cut(contentType, ";")
	told := types.MediaType(strings.TrimSpace(contentType))
	sniffed, err := SniffMediaType(body)
	current := told.IsImage() || told.IsIndex()
	switch {
	case err == nil && current && told.IsIndex() != sniffed.IsIndex():
		return "", fmt.Errorf("the registry calls it %q, it is %q", told, sniffed)
	case (current || told.IsSchema1()) && (err != nil || !hasMediaType(body)):
		return told, nil //nolint:nilerr // the Content-Type says what the members don't
	}
	return sniffed, err
}

// Verify compares the bytes with want, whatever its algorithm is, and takes it over as the digest.
func (m *Manifest) Verify(want v1.Hash, whose string) error {
	got := m.Digest
	if want.Algorithm != got.Algorithm {
		h, err := v1.Hasher(want.Algorithm)
		if err != nil {
			return err
		}
		_, _ = h.Write(m.Body) // a hash never fails
		got = v1.Hash{Algorithm: want.Algorithm, Hex: fmt.Sprintf("%x", h.Sum(nil))}
	}
	if got != want {
		return fmt.Errorf("the manifest has the digest %s, not %s %s", got, want, whose)
	}
	m.Digest = want
	return nil
}

// hasMediaType reports whether a manifest names its own type.
func hasMediaType(body []byte) bool {
	var m struct {
		MediaType string `json:"mediaType"`
	}
	return json.Unmarshal(body, &m) == nil && m.MediaType != ""
}

// FallbackTag is the tag under which registries without the referrers API keep the list of what refers to a digest.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
func FallbackTag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex }

// DecodeReferrers reads the list that says what refers to something. The error wraps ErrContent.
func DecodeReferrers(body []byte) ([]v1.Descriptor, error) {
	var list struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := cmp.Or(CheckManifest(body), json.Unmarshal(body, &list)); err != nil {
		return nil, errors.Join(ErrContent, err)
	}
	return list.Manifests, nil
}
