package registrytest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/registry"
)

// ImageSpec describes what an image claims and contains. The zero value is an OCI image with one layer and a config
// without a platform.
type ImageSpec struct {
	// Platform is the config's. Empty members are left out.
	Platform v1.Platform
	// Binary is the architecture (GOARCH) of the ELF in /app, "" for that of Platform. Any other makes a liar.
	Binary string
	// Layers is the number of layers; 0 means 1. The first has /app.
	Layers int
	// Padding is the number of extra incompressible bytes in every layer.
	Padding int
	// Docker selects Docker's media types instead of OCI's.
	Docker bool
	// Untyped leaves out the manifest's own mediaType member, as OCI image-spec 1.0 writers did.
	Untyped bool
	// Annotations are those of the manifest.
	Annotations map[string]string
	// ArtifactType is the manifest's, which runtimes ignore; "" leaves it out.
	ArtifactType string
	// ConfigType is the media type of the config in the manifest; "" means the right one.
	ConfigType types.MediaType
	// Labels are those of the config.
	Labels map[string]string
	// Seed makes otherwise equal images different.
	Seed string
	// SharedLayer is the seed of the layers: images with equal SharedLayer and Binary have equal layers.
	SharedLayer string
	// Files describes the layers, the lowest first, in lines for LayerTar. It replaces Layers, Padding, Binary and
	// SharedLayer, and the config gets the Entrypoint, Cmd, Env and WorkingDir below.
	Files                [][]string
	Entrypoint, Cmd, Env []string
	WorkingDir           string
	OnBuild              []string // steps for images that are built from it
	Health               []string // health check: CMD and arguments, or CMD-SHELL and a line
	// Origins are the layers' lines in the history, the lowest first; the default is "layer N".
	Origins []string
	// SizeOff is added to the sizes of the layers in the manifest, which makes a liar.
	SizeOff int64
	// Packing is the format of the layers of Files: "" (gzip), none, zstd, foreign (a gzip that must not be fetched),
	// encrypted (unreadable bytes), or with a table of contents estargz or zstd:chunked.
	Packing string
}

type imageConfig struct {
	Created      string        `json:"created"`
	Architecture string        `json:"architecture,omitempty"`
	Variant      string        `json:"variant,omitempty"`
	OS           string        `json:"os,omitempty"`
	OSVersion    string        `json:"os.version,omitempty"`
	OSFeatures   []string      `json:"os.features,omitempty"`
	Config       runConfig     `json:"config"`
	RootFS       v1.RootFS     `json:"rootfs"`
	History      []layerOrigin `json:"history"`
}

type runConfig struct {
	Entrypoint []string          `json:"Entrypoint"`
	Cmd        []string          `json:"Cmd,omitempty"`
	Env        []string          `json:"Env,omitempty"`
	WorkingDir string            `json:"WorkingDir,omitempty"`
	OnBuild    []string          `json:"OnBuild,omitempty"`
	Health     *healthCheck      `json:"Healthcheck,omitempty"`
	Labels     map[string]string `json:"Labels,omitempty"`
}

type healthCheck struct {
	Test []string `json:"Test"`
}

type layerOrigin struct {
	CreatedBy  string `json:"created_by"`
	EmptyLayer bool   `json:"empty_layer,omitempty"` // Docker Engine expects one line without it for each layer
}

type imageManifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Image builds the image that s describes. Docker and OCI images of one spec have equal configs and layers.
func Image(s ImageSpec) Built {
	kind := mediaTypes(s.Docker)
	config := imageConfig{
		Created: "1970-01-01T00:00:00Z",
		OS:      s.Platform.OS, Architecture: s.Platform.Architecture, Variant: s.Platform.Variant,
		OSVersion: s.Platform.OSVersion, OSFeatures: s.Platform.OSFeatures,
		Config: runConfig{Entrypoint: []string{"/app"}, Labels: s.Labels},
		RootFS: v1.RootFS{Type: "layers"},
	}
	if s.Files != nil {
		config.Config = runConfig{
			Entrypoint: s.Entrypoint, Cmd: s.Cmd, Env: s.Env, WorkingDir: s.WorkingDir,
			Labels: s.Labels,
		}
		if s.Health != nil {
			config.Config.Health = &healthCheck{s.Health}
		}
	}
	config.Config.OnBuild = s.OnBuild
	if s.Seed != "" {
		config.History = append(config.History, layerOrigin{CreatedBy: "seed " + s.Seed, EmptyLayer: true})
	}
	b := Built{Blobs: map[v1.Hash][]byte{}, Platform: s.Platform}
	var layers []v1.Descriptor
	for i := range s.layers() {
		plain, packed, mediaType, annotations := layer(s, i, kind.layer)
		diffID, _, err := v1.SHA256(bytes.NewReader(plain))
		must(err)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, diffID)
		origin := fmt.Sprintf("layer %d", i)
		if i < len(s.Origins) {
			origin = s.Origins[i]
		}
		config.History = append(config.History, layerOrigin{CreatedBy: origin})
		d := b.addBlob(mediaType, packed)
		d.Annotations = annotations
		d.Size += s.SizeOff
		layers = append(layers, d)
	}
	m := imageManifest{
		SchemaVersion: 2, MediaType: kind.image, ArtifactType: s.ArtifactType,
		Config: b.addBlob(cmp.Or(s.ConfigType, kind.config), encode(config)), Layers: layers, Annotations: s.Annotations,
	}
	if s.Untyped {
		m.MediaType = ""
	}
	b.addManifest(kind.image, encode(m))
	return b
}

// Copy returns a second manifest with the config and layers of b, which stands for a copy in another compression.
func (b Built) Copy() Built {
	var m imageManifest
	must(json.Unmarshal(b.Manifest.Body, &m))
	m.Annotations = map[string]string{"packed": "again"}
	out := Built{Blobs: b.Blobs, Order: b.Order, Platform: b.Platform}
	out.addManifest(b.Manifest.MediaType, encode(m))
	return out
}

type kinds struct{ image, list, config, layer types.MediaType }

func mediaTypes(docker bool) kinds {
	if docker {
		return kinds{types.DockerManifestSchema2, types.DockerManifestList, types.DockerConfigJSON, types.DockerLayer}
	}
	return kinds{types.OCIManifestSchema1, types.OCIImageIndex, types.OCIConfigJSON, types.OCILayer}
}

func (s ImageSpec) layers() int {
	if s.Files != nil {
		return len(s.Files)
	}
	return max(s.Layers, 1)
}

func layer(
	s ImageSpec, i int, kind types.MediaType,
) (plain, packed []byte, _ types.MediaType, annotations map[string]string) {
	if s.Packing == "estargz" || s.Packing == "zstd:chunked" {
		return chunkedLayer(s.Packing, s.Files[i])
	}
	if s.Files != nil {
		plain = LayerTar(s.Files[i]...)
		packed, kind = pack(plain, s.Packing, kind)
		return plain, packed, kind, nil
	}
	seed := s.SharedLayer
	if seed == "" {
		seed = fmt.Sprintf("%v %s", s.Platform, s.Seed)
	}
	files := map[string][]byte{fmt.Sprintf("seed-%d", i): fmt.Appendf(nil, "%s layer %d\n", seed, i)}
	names := []string{fmt.Sprintf("seed-%d", i)}
	if i == 0 {
		arch := s.Binary
		if arch == "" {
			arch = s.Platform.Architecture
		}
		files["app"], names = ELF(arch), append(names, "app")
	}
	if s.Padding > 0 {
		files["padding"], names = noise(seed, i, s.Padding), append(names, "padding")
	}
	plain = Tar(names, files)
	return plain, Gzip(plain), kind, nil
}

// Tar returns a tar of the files in the order of names, all with mode 0755 and dated 1970.
func Tar(names []string, files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		must(w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(files[name])), Format: tar.FormatUSTAR}))
		_, err := w.Write(files[name])
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

// Gzip compresses data without a date, so that equal data give equal bytes.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	must(err)
	must(w.Close())
	return b.Bytes()
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	must(err)
	return data
}

// Hash returns the SHA-256 digest of data.
func Hash(data []byte) v1.Hash {
	h, _, err := v1.SHA256(bytes.NewReader(data))
	must(err)
	return h
}

func newManifest(mediaType types.MediaType, body []byte) registry.Manifest {
	m, err := registry.NewManifest(mediaType, body)
	must(err)
	return m
}
