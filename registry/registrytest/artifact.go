package registrytest

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ArtifactSpec describes a manifest that is not an image: a signature, an SBOM.
type ArtifactSpec struct {
	Type    string         // artifact type; "" for an image's config, as in cosign's tags
	Subject *v1.Descriptor // what it refers to
	Layers  []ArtifactLayer
	Config  *ArtifactLayer // instead of the config that Type implies
}

// ArtifactLayer is one blob of an artifact.
type ArtifactLayer struct {
	MediaType   string
	Annotations map[string]string
	Data        []byte
}

// Artifact returns the artifact that s describes.
func Artifact(s ArtifactSpec) Built {
	b := Built{Blobs: map[v1.Hash][]byte{}}
	m := struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     types.MediaType   `json:"mediaType"`
		ArtifactType  string            `json:"artifactType,omitempty"`
		Config        v1.Descriptor     `json:"config"`
		Layers        []v1.Descriptor   `json:"layers"`
		Subject       *v1.Descriptor    `json:"subject,omitempty"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: s.Type, Subject: s.Subject,
		Layers: []v1.Descriptor{},
	}
	if m.Config = b.addBlob("application/vnd.oci.empty.v1+json", []byte("{}")); s.Type == "" {
		m.Config = b.addBlob(types.OCIConfigJSON,
			encode(imageConfig{RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}}))
	}
	if s.Config != nil {
		m.Config = b.addBlob(types.MediaType(s.Config.MediaType), s.Config.Data)
	}
	for _, l := range s.Layers {
		d := b.addBlob(types.MediaType(l.MediaType), l.Data)
		d.Annotations = l.Annotations
		m.Layers = append(m.Layers, d)
	}
	b.addManifest(types.OCIManifestSchema1, encode(m))
	return b
}
