package registry

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Refs are what a manifest refers to.
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

// Blobs are the config, where there is one, and the layers.
func (r Refs) Blobs() []v1.Descriptor {
	if r.Config == nil {
		return r.Layers
	}
	return append([]v1.Descriptor{*r.Config}, r.Layers...)
}
