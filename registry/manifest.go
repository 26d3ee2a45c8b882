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

// NewManifest computes the digest of body. When mediaType is empty, the type is the body's mediaType member or, without
// one, follows from its members: OCI image-spec 1.0 manifests need not name their own type.
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

// SniffMediaType returns the type of a manifest by its mediaType member and, where that is missing, by its other
// members.
func SniffMediaType(body []byte) (types.MediaType, error) {
	var m struct {
		MediaType     types.MediaType `json:"mediaType"`
		SchemaVersion int             `json:"schemaVersion"`
		Manifests     json.RawMessage `json:"manifests"` // undecoded: millions of empty rows would fill the memory
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

// Descriptor returns the manifest's media type, digest and size.
func (m Manifest) Descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Body))}
}

// IsList reports whether the manifest is an OCI image index or a Docker manifest list.
func (m Manifest) IsList() bool { return m.MediaType.IsIndex() }

// IsImage reports whether the manifest is an OCI or Docker image manifest.
func (m Manifest) IsImage() bool { return m.MediaType.IsImage() }

// ArtifactManifest is the type that image-spec 1.1 dropped before its release. Some registries still serve it.
const ArtifactManifest types.MediaType = "application/vnd.oci.artifact.manifest.v1+json"

// PointsToBlob reports whether a row of a list points to something that no registry serves as a manifest, as rows of a
// build cache do.
func PointsToBlob(row v1.Descriptor) bool {
	t := row.MediaType
	return t != "" && t != ArtifactManifest && !t.IsImage() && !t.IsIndex() && !t.IsSchema1()
}

// Source reads the content under one name, wherever it is stored. Implementations verify digest and size: those of a
// Manifest before they return it, those of a Blob when its end is read (the error wraps ErrContent). They are safe for
// use from several goroutines.
type Source interface {
	// Manifest returns the manifest or list that d names. The error wraps ErrNotFound when it is missing.
	Manifest(ctx context.Context, d v1.Descriptor) (Manifest, error)
	// Blob opens the config or layer that d names. The error wraps ErrNotFound when it is missing.
	Blob(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// Target writes content: blobs first, then manifests that refer to them, tags last. *remote.Repository, *store.Writer
// and *archive.Writer are targets.
type Target interface {
	// PutBlob makes the blob present: it finds it there, mounts it from a repository of the same registry, or copies it
	// from src.
	PutBlob(ctx context.Context, d v1.Descriptor, src Source) (Moved, error)
	// PutManifest makes m present under its digest, without touching any tag.
	PutManifest(ctx context.Context, m Manifest) error
	// PutTag makes m present and points tag to it.
	PutTag(ctx context.Context, tag string, m Manifest) error
}

// Moved is how a blob got to its target.
type Moved int

// The values of Moved.
const (
	Present Moved = iota // it was there already
	Mounted              // mounted from another repository of the same registry; no bytes moved
	Copied               // its bytes were sent
)

// Object is what Open found for a Ref: the bytes of its root manifest, and the source of everything below it.
type Object struct {
	Ref    Ref      // where it was found: the transport that had it, and the name as typed
	Root   Manifest // the image or list itself
	Source Source   // reads children, configs and layers
	// Names are the object's names in a file: full references, or tags alone; nil elsewhere.
	Names []string
	// Other is the digest under the same name in the place that was not used, when it differs (the store's name in a
	// registry); zero otherwise.
	Other v1.Hash
	// Missing are the rows of the list that a file does not hold; Root is an image or a list without them. It is nil
	// where the file is complete.
	Missing []v1.Descriptor
	// Closer releases files that Source holds open; nil when there are none.
	Closer io.Closer
}

// Close releases what the object holds open. The zero Object can be closed.
func (o Object) Close() error {
	if o.Closer == nil {
		return nil
	}
	return o.Closer.Close()
}

// ManifestType returns the type that the body names, else a Content-Type that is a manifest's, else what the members of
// the body show. It refuses a manifest that is an image by one of them and a list by another: containerd and crane use
// the Content-Type.
func ManifestType(contentType string, body []byte) (types.MediaType, error) {
	contentType, _, _ = strings.Cut(contentType, ";")
	named := types.MediaType(strings.TrimSpace(contentType))
	sniffed, err := SniffMediaType(body)
	current := named.IsImage() || named.IsIndex()
	switch {
	case err == nil && current && named.IsIndex() != sniffed.IsIndex():
		return "", fmt.Errorf("the registry says its type is %q, but it is %q", named, sniffed)
	case (current || named.IsSchema1()) && (err != nil || !hasMediaType(body)):
		return named, nil //nolint:nilerr // the Content-Type names a type, the members don't
	}
	return sniffed, err
}

// Verify compares the bytes with want, whatever its algorithm, and makes it the manifest's digest. origin is where want
// comes from, for the error: "asked for".
func (m *Manifest) Verify(want v1.Hash, origin string) error {
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
		return fmt.Errorf("the manifest has the digest %s, not %s %s", got, want, origin)
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

// FallbackTag returns the tag under which registries without the referrers API keep the list of referrers of a digest.
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
func FallbackTag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex }

// DecodeReferrers reads a list of referrers. The error wraps ErrContent.
func DecodeReferrers(body []byte) ([]v1.Descriptor, error) {
	var list struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := cmp.Or(CheckManifest(body), json.Unmarshal(body, &list)); err != nil {
		return nil, errors.Join(ErrContent, err)
	}
	return list.Manifests, nil
}

// Refs holds what a manifest refers to.
type Refs struct {
	Config    *v1.Descriptor  `json:"config"`    // of an image or artifact; nil where it names none
	Layers    []v1.Descriptor `json:"layers"`    // of an image or artifact
	Manifests []v1.Descriptor `json:"manifests"` // of a list
	Subject   *v1.Descriptor  `json:"subject"`   // the manifest that it describes; usually nil
}

// Refs decodes what the manifest refers to. The error wraps ErrContent.
func (m Manifest) Refs() (Refs, error) {
	var r Refs
	if err := json.Unmarshal(m.Body, &r); err != nil {
		return Refs{}, fmt.Errorf("reading manifest %s: %w: %w", m.Digest, ErrContent, err)
	}
	return r, nil
}

// Blobs returns the config, if there is one, and the layers.
func (r Refs) Blobs() []v1.Descriptor {
	if r.Config == nil {
		return r.Layers
	}
	return append([]v1.Descriptor{*r.Config}, r.Layers...)
}
