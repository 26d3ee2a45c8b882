package compose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// errNotRead means that an edit of an image's own manifest is impossible, since only the row is known.
var errNotRead = errors.New("its manifest has not been read")

// unread returns why the entry's image has no manifest: the error of reading it, if it was read.
func (e Entry) unread() error {
	switch {
	case e.Image == nil:
		return errNotRead
	case e.Image.Manifest.Body != nil:
		return nil
	case e.Image.Err != nil:
		return e.Image.Err
	}
	return errNotRead
}

// remake edits the entry's manifest as d says and updates the row. Blobs are not changed. Attestations describe the
// old digest, so they are dropped; if the edit wants to keep them it fails.
func (e Entry) remake(d Edit) (Entry, error) {
	if err := e.unread(); err != nil {
		return Entry{}, fmt.Errorf("editing the manifest of %s: %w", e, err)
	}
	m, config, err := d.image(e.Image.Manifest, e.Image.ConfigBody)
	if err != nil || m.Digest == e.Digest() {
		return e, err
	}
	if d.KeepAttestations && len(e.Attestations) > 0 {
		return Entry{}, fmt.Errorf("editing the manifest of %s: %w", e, ErrAttested)
	}
	out := e
	if out.OriginalDigest == (v1.Hash{}) {
		out.OriginalDigest = e.Digest()
	}
	out.Attestations = nil
	if out, err = out.withManifest(m, config); err != nil {
		return Entry{}, err
	}
	if d.Config != nil && d.Config.Platform != nil {
		return out.withPlatform(*d.Config.Platform)
	}
	return out, nil
}

// withManifest returns e with the row and the image of another manifest, and its config.
func (e Entry) withManifest(m registry.Manifest, config []byte) (Entry, error) {
	row, err := parseObject(e.Row)
	if err != nil {
		return Entry{}, err
	}
	d := m.Descriptor()
	for _, member := range []struct {
		name  string
		value any
	}{{"mediaType", d.MediaType}, {"digest", d.Digest.String()}, {"size", d.Size}} {
		if row, err = row.set(member.name, member.value); err != nil {
			return Entry{}, err
		}
	}
	if e, err = e.withRow(row.encode()); err != nil {
		return Entry{}, err
	}
	img := *e.Image
	img.Manifest, img.Row, img.Descriptor, img.Attestations, img.Artifacts = m, e.Row, e.Descriptor, nil, nil
	var blobs struct {
		Config v1.Descriptor   `json:"config"`
		Layers []v1.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(m.Body, &blobs); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", registry.ErrContent, err)
	}
	img.ConfigOf, img.Layers, img.ConfigBody = blobs.Config, blobs.Layers, config
	if config != nil {
		if img.Config, err = configPlatform(config); err != nil {
			return Entry{}, err
		}
		e.Config, e.ConfigDigest = img.Config, blobs.Config.Digest
	}
	e.Image = &img
	return e, nil
}

// remade repeats the edits of a draft's entry on the manifest that its source has.
func (e Entry) remade() (Entry, error) {
	m, config := e.Image.Manifest, e.Image.ConfigBody
	for _, d := range e.Edits {
		if !d.ofChild() {
			continue
		}
		var err error
		if m, config, err = d.image(m, config); err != nil {
			return e, err
		}
	}
	if m.Digest != e.Digest() {
		return e, fmt.Errorf("%w: %s can't be made from %s again", registry.ErrContent, e, e.OriginalDigest)
	}
	return e.withManifest(m, config)
}

// image applies the edit to a manifest and its config. Bytes outside the edit stay the same.
func (d Edit) image(m registry.Manifest, config []byte) (registry.Manifest, []byte, error) {
	o, err := parseObject(m.Body)
	if err != nil {
		return m, config, err
	}
	before := o.encode()
	if d.FixConfig {
		if o, config, err = fixConfig(o, config); err != nil {
			return m, config, err
		}
	}
	if d.Config != nil {
		edited, err := d.Config.apply(config)
		if err != nil {
			return m, config, err
		}
		if !slices.Equal(edited, config) {
			config = edited
			if o, err = o.withConfig(config); err != nil {
				return m, config, err
			}
		}
	}
	if d.Child {
		if o, err = d.annotateChild(o, m); err != nil {
			return m, config, err
		}
	}
	mediaType := m.MediaType
	if d.Convert != "" {
		if o, mediaType, err = convert(o, mediaType, d.Convert); err != nil {
			return m, config, err
		}
	}
	body := o.encode()
	if slices.Equal(body, before) {
		return m, config, nil
	}
	m, err = registry.NewManifest(mediaType, body)
	return m, config, err
}

func (d Edit) annotateChild(o object, m registry.Manifest) (object, error) {
	if isDocker(m.MediaType) && d.Convert != TypeOCI && len(d.Annotations) > 0 {
		return nil, ErrDockerImage
	}
	var have map[string]string
	if raw := o.get("annotations"); raw != nil {
		if err := json.Unmarshal(raw, &have); err != nil {
			return nil, fmt.Errorf("reading annotations: %w: %w", registry.ErrContent, err)
		}
	}
	return o.setStrings("annotations", d.annotations(have))
}

// ociTypes maps Docker's media types to OCI's for the same bytes.
// https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md#compatibility-matrix
var ociTypes = [][2]types.MediaType{
	{types.DockerManifestSchema2, types.OCIManifestSchema1},
	{types.DockerConfigJSON, types.OCIConfigJSON},
	{types.DockerLayer, types.OCILayer},
	{types.DockerUncompressedLayer, types.OCIUncompressedLayer},
	{types.DockerForeignLayer, types.OCIRestrictedLayer},
}

// dockerZstd is a media type that some tools write for zstd layers. Docker's format has no such layer, and podman,
// CRI-O and skopeo refuse it: https://github.com/containers/image/pull/2906
const dockerZstd types.MediaType = "application/vnd.docker.image.rootfs.diff.tar.zstd"

// convertible returns kind's media type for the same bytes.
func convertible(t types.MediaType, kind Type) (types.MediaType, bool) {
	if t == dockerZstd && kind == TypeOCI {
		return types.OCILayerZStd, true
	}
	for _, pair := range ociTypes {
		to := pair[1]
		if kind == TypeDocker {
			to = pair[0]
		}
		if t == pair[0] || t == pair[1] {
			return to, true
		}
	}
	return t, false
}

// convert writes an image manifest with the other family's media types, member by member.
func convert(o object, mediaType types.MediaType, kind Type) (object, types.MediaType, error) {
	to, ok := convertible(mediaType, kind)
	if !ok {
		return nil, "", registry.Usagef("%q can't be converted to %s", mediaType, kind)
	}
	if to == mediaType {
		o, err := o.convertRows(kind, false)
		return o, mediaType, err
	}
	if kind == TypeDocker {
		for _, name := range []string{"annotations", "artifactType", "subject"} {
			if o.get(name) != nil {
				return nil, "", registry.WithHint(registry.Usagef("a Docker image can't hold %s", name), "leave it an OCI image")
			}
		}
	}
	o, err := o.set("mediaType", to)
	if err != nil {
		return nil, "", err
	}
	if o, err = o.convertRows(kind, true); err != nil {
		return nil, "", err
	}
	if kind == TypeDocker { // the order of Docker, podman and skopeo, so that the digest is theirs
		o = o.ordered("schemaVersion", "mediaType", "config", "layers")
	}
	return o, to, nil
}

// convertRows converts the descriptors of the config and the layers. With all, a descriptor that can't be converted
// is an error; otherwise it is left alone.
func (o object) convertRows(kind Type, all bool) (object, error) {
	config, err := convertRow(o.get("config"), kind, all)
	if err != nil {
		return nil, err
	}
	if o, err = o.set("config", config); err != nil {
		return nil, err
	}
	var layers []json.RawMessage
	if err := json.Unmarshal(o.get("layers"), &layers); err != nil {
		return nil, fmt.Errorf("reading layers: %w: %w", registry.ErrContent, err)
	}
	for i := range layers {
		if layers[i], err = convertRow(layers[i], kind, all); err != nil {
			return nil, err
		}
	}
	return o.set("layers", layers)
}

func convertRow(raw json.RawMessage, kind Type, must bool) (json.RawMessage, error) {
	row, err := parseObject(raw)
	if err != nil {
		return nil, err
	}
	var t types.MediaType
	if err := json.Unmarshal(row.get("mediaType"), &t); err != nil {
		return nil, fmt.Errorf("reading a media type: %w: %w", registry.ErrContent, err)
	}
	to, ok := convertible(t, kind)
	switch {
	case must && !ok:
		return nil, unconvertible(t, kind)
	case !ok, to == t && !must:
		return raw, nil
	}
	if kind == TypeDocker && row.get("annotations") != nil {
		return nil, registry.Usagef("a Docker image can't hold annotations of its layers")
	}
	if row, err = row.set("mediaType", to); kind == TypeDocker && must {
		row = row.ordered("mediaType", "size", "digest", "urls")
	}
	return row.encode(), err
}

// unconvertible returns the error for a descriptor that kind has no type for.
func unconvertible(t types.MediaType, kind Type) error {
	if kind == TypeDocker && (t == types.OCILayerZStd || t == dockerZstd) {
		return fmt.Errorf("%w a layer in zstd, %q", ErrDockerLayers, t)
	}
	return registry.Usagef("%q can't be converted to %s", t, kind)
}

// mixed reports whether the image has parts with the other family's media types, which some tools can't read.
func (e Entry) mixed(kind Type) bool {
	if e.Image == nil {
		return false
	}
	return slices.ContainsFunc(append(slices.Clip(e.Image.Layers), e.Image.ConfigOf), func(d v1.Descriptor) bool {
		to, ok := convertible(d.MediaType, kind)
		return ok && to != d.MediaType
	})
}
