package registrytest

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// Entry is one row of a list, with the content that it refers to.
type Entry struct {
	Built
	// Claim is the row's platform, nil for that of the image's config (none for a list). Any other makes a liar.
	Claim *v1.Platform
	// NoPlatform leaves the row's platform out.
	NoPlatform bool
	// Annotations are those of the row.
	Annotations map[string]string
	// Missing keeps the row and leaves out its content.
	Missing bool
	// WrongSize gives the row a wrong size.
	WrongSize bool
	// MediaType is the row's media type; "" means the right one.
	MediaType types.MediaType
	// ArtifactType is the row's; "" leaves it out.
	ArtifactType string
}

// ListSpec describes a list.
type ListSpec struct {
	Entries []Entry
	// Docker selects Docker's media type instead of OCI's.
	Docker bool
	// Untyped leaves out the list's own mediaType member.
	Untyped bool
	// Attested adds an attestation manifest for every image, as BuildKit does, in rows of platform unknown/unknown
	// after the images.
	Attested bool
	// Annotations are those of the list.
	Annotations map[string]string
}

type listManifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType,omitempty"`
	Manifests     []v1.Descriptor   `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// List builds the list that s describes. Lists may be nested.
func List(s ListSpec) Built {
	b := Built{Blobs: map[v1.Hash][]byte{}}
	rows := []v1.Descriptor{}
	for _, e := range s.Entries {
		rows = append(rows, e.row())
		if !e.Missing {
			b.add(e.Built)
		}
	}
	if s.Attested {
		for _, e := range s.Entries {
			a := Attestation(e.Manifest)
			rows = append(rows, a.row())
			b.add(a.Built)
		}
	}
	kind := mediaTypes(s.Docker).list
	l := listManifest{SchemaVersion: 2, MediaType: kind, Manifests: rows, Annotations: s.Annotations}
	if s.Untyped {
		l.MediaType = ""
	}
	b.addManifest(kind, encode(l))
	return b
}

// ListOf returns an honest OCI list of the images.
func ListOf(images ...Built) Built {
	var s ListSpec
	for _, image := range images {
		s.Entries = append(s.Entries, Entry{Built: image})
	}
	return List(s)
}

func (e Entry) row() v1.Descriptor {
	d := e.Manifest.Descriptor()
	d.Annotations, d.ArtifactType = e.Annotations, e.ArtifactType
	switch {
	case e.NoPlatform:
	case e.Claim != nil:
		d.Platform = e.Claim
	case e.Platform.OS != "" || e.Platform.Architecture != "":
		p := e.Platform
		d.Platform = &p
	}
	if e.MediaType != "" {
		d.MediaType = e.MediaType
	}
	if e.WrongSize {
		d.Size++
	}
	return d
}

// SOCI returns a row as of soci convert: an index of the image's layers, which is an artifact with the image's platform
// and an annotation with its digest. See
// https://github.com/awslabs/soci-snapshotter/blob/main/docs/soci-index-manifest-v2.md
func SOCI(image Built) Entry {
	const kind = "application/vnd.amazon.soci.index.v2+json"
	p := image.Platform
	return Entry{
		Built: Artifact(ArtifactSpec{Type: kind, Layers: []ArtifactLayer{{
			MediaType: "application/octet-stream", Data: []byte("ztoc of " + image.Digest().String()),
		}}}),
		Claim: &p, ArtifactType: kind,
		Annotations: map[string]string{"com.amazon.soci.image-manifest-digest": image.Digest().String()},
	}
}

// Attestation returns a row as of BuildKit: an image manifest with one in-toto layer, with platform unknown/unknown and
// an annotation with the image's digest. See
// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
func Attestation(image registry.Manifest) Entry {
	b := Built{Blobs: map[v1.Hash][]byte{}, Platform: v1.Platform{OS: "unknown", Architecture: "unknown"}}
	statement := encode(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
		"predicate": map[string]any{"spdxVersion": "SPDX-2.3"},
		"subject":   []any{map[string]any{"name": "_", "digest": map[string]string{"sha256": image.Digest.Hex}}},
	})
	layer := b.addBlob("application/vnd.in-toto+json", statement)
	layer.Annotations = map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"}
	config := imageConfig{
		Created: "1970-01-01T00:00:00Z", OS: "unknown", Architecture: "unknown",
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{layer.Digest}},
	}
	b.addManifest(types.OCIManifestSchema1, encode(imageManifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1,
		Config: b.addBlob(types.OCIConfigJSON, encode(config)), Layers: []v1.Descriptor{layer},
	}))
	return Entry{Built: b, Annotations: map[string]string{
		"vnd.docker.reference.type":   "attestation-manifest",
		"vnd.docker.reference.digest": image.Digest.String(),
	}}
}
