package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// document is a decoded manifest: a list when facts is set, an image or artifact otherwise.
type document struct {
	facts *ListFacts
	rows  []json.RawMessage

	config       v1.Descriptor
	blobs        []v1.Descriptor // the layers
	artifactType string
	subject      v1.Hash // the manifest that it refers to
}

// isImage tells images from artifacts, which are manifests of the same type with a config of another type. No runtime
// looks at the artifactType. See
// https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
func (d document) isImage() bool { return d.config.MediaType.IsConfig() }

// kind returns the artifactType of an artifact, which is its config's media type when the manifest states none:
// https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties
func (d document) kind() string {
	if d.artifactType != "" || d.isImage() || d.config.MediaType == emptyConfig {
		return d.artifactType
	}
	return string(d.config.MediaType)
}

// emptyConfig is the media type of a config that states nothing.
const emptyConfig = "application/vnd.oci.empty.v1+json"

// mayRun reports whether a runtime would start it if its config were an image's, whatever its type: Docker accepts four
// more types, containerd starts anything with file system layers. See
// https://github.com/moby/moby/blob/v28.5.2/distribution/registry.go and image.Unpack of containerd's client.
func (d document) mayRun() bool {
	if d.config.Digest == (v1.Hash{}) || d.config.MediaType == emptyConfig {
		return false
	}
	switch d.config.MediaType {
	case "", "application/octet-stream", "application/json", "text/html":
		return true
	}
	return d.isImage() || slices.ContainsFunc(d.blobs, isFileSystem)
}

func isFileSystem(layer v1.Descriptor) bool {
	prefixes := []string{
		"application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.",
		"application/vnd.erofs.layer.",
	}
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(string(layer.MediaType), p) })
}

// manifestJSON has the members of images and lists, to recognise a manifest that is both.
type manifestJSON struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        []json.RawMessage `json:"layers"`
	Blobs         []json.RawMessage `json:"blobs"`
	Manifests     []json.RawMessage `json:"manifests"`
	Annotations   map[string]string `json:"annotations"`
	Subject       *v1.Descriptor    `json:"subject"`
	FSLayers      json.RawMessage   `json:"fsLayers"`
}

const (
	// maxMembers limits the values in one manifest; a list of maxEntries rows with annotations has fewer.
	maxMembers = 300_000
	// maxLayers limits the layers of one image. Docker accepts 127.
	maxLayers = 10_000
	// maxSize is larger than any blob, in bytes; the sizes of maxLayers layers can still be added up.
	maxSize = 1 << 48
)

// decode parses body as a mediaType, which the descriptor states. Every error wraps registry.ErrContent or ErrLimit.
func decode(mediaType types.MediaType, body []byte) (document, error) {
	if valuesIn(body) >= maxMembers {
		return document{}, fmt.Errorf("%w: more than %d values in a manifest", ErrLimit, maxMembers)
	}
	if err := registry.CheckManifest(body); err != nil {
		return document{}, fmt.Errorf("not a manifest: %w", err)
	}
	var m manifestJSON
	if err := json.Unmarshal(body, &m); err != nil {
		return document{}, fmt.Errorf("%w: not a manifest: %w", registry.ErrContent, err)
	}
	if err := m.check(mediaType); err != nil {
		return document{}, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	if len(m.Manifests) > maxEntries {
		return document{}, fmt.Errorf("%w: more than %d entries", ErrLimit, maxEntries)
	}
	if !mediaType.IsIndex() {
		return m.image()
	}
	facts := ListFacts{Annotations: m.Annotations, ArtifactType: m.ArtifactType, Subject: m.Subject}
	if err := json.Unmarshal(body, &facts.Members); err != nil {
		return document{}, fmt.Errorf("%w: not a list: %w", registry.ErrContent, err)
	}
	return document{facts: &facts, rows: m.Manifests}, nil
}

// check refuses a manifest that two clients could read in two ways: https://github.com/advisories/GHSA-77vh-xpmg-72qh
func (m manifestJSON) check(mediaType types.MediaType) error {
	switch {
	case mediaType.IsSchema1(), m.SchemaVersion == 1, m.FSLayers != nil:
		return errSchema1()
	case !mediaType.IsImage() && !mediaType.IsIndex() && mediaType != registry.ArtifactManifest:
		return fmt.Errorf("its type %q is neither that of an image nor that of a list", mediaType)
	case m.MediaType != "" && m.MediaType != mediaType:
		return fmt.Errorf("its descriptor says %q, the manifest itself %q", mediaType, m.MediaType)
	case mediaType.IsIndex() && (m.Config != nil || m.Layers != nil):
		return fmt.Errorf("it says %q but has the config or the layers of an image", mediaType)
	case !mediaType.IsIndex() && m.Manifests != nil:
		return fmt.Errorf("it says %q but has the manifests of a list", mediaType)
	}
	return nil
}

func (m manifestJSON) image() (document, error) {
	d := document{artifactType: m.ArtifactType}
	if m.Subject != nil {
		d.subject = m.Subject.Digest
	}
	for _, row := range append(m.Layers, m.Blobs...) {
		if len(d.blobs) == maxLayers {
			return document{}, fmt.Errorf("%w: more than %d layers", ErrLimit, maxLayers)
		}
		var blob v1.Descriptor
		if err := json.Unmarshal(row, &blob); err != nil {
			return document{}, fmt.Errorf("%w: not a manifest: %w", registry.ErrContent, err)
		}
		d.blobs = append(d.blobs, blob)
	}
	if m.Config != nil {
		d.config = *m.Config
	} else if m.MediaType != registry.ArtifactManifest {
		return document{}, fmt.Errorf("%w: it has neither a config nor entries", registry.ErrContent)
	}
	for _, b := range d.all() {
		if b.Size < 0 || b.Size > maxSize || b.Digest == (v1.Hash{}) {
			return document{}, fmt.Errorf("%w: blob %q of %d bytes", registry.ErrContent, b.Digest, b.Size)
		}
	}
	return d, nil
}

// all returns the config, if any, and the layers.
func (d document) all() []v1.Descriptor {
	if d.config.Digest == (v1.Hash{}) && d.config.MediaType == "" {
		return d.blobs
	}
	return append([]v1.Descriptor{d.config}, d.blobs...)
}

// errSchema1 returns the error for the format that Docker replaced by schema 2 in 2016: its images have no config that
// states a platform.
func errSchema1() error {
	return errors.New(
		"it is a Docker schema 1 manifest, which no current registry or runtime takes: push the image again with a current tool")
}

// decodeConfig reads only the platform.
func decodeConfig(data []byte) (v1.Platform, error) {
	if err := registry.CheckConfig(data); err != nil {
		return v1.Platform{}, fmt.Errorf("not an image config: %w", err)
	}
	var p v1.Platform // its members have the same names in a config and a descriptor
	if err := json.Unmarshal(data, &p); err != nil {
		return v1.Platform{}, fmt.Errorf("%w: not an image config: %w", registry.ErrContent, err)
	}
	p.Features = nil
	return p, nil
}

// hasFileSystem reports whether the config lists layers.
func hasFileSystem(config []byte) bool {
	var c struct {
		RootFS struct {
			DiffIDs []json.RawMessage `json:"diff_ids"`
		} `json:"rootfs"`
	}
	return json.Unmarshal(config, &c) == nil && len(c.RootFS.DiffIDs) > 0
}
