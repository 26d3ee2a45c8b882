package podman

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/app"
	"mtool/compose"
	"mtool/registry"
	"mtool/registry/regular"
)

// Artifact is what AddArtifact makes of files.
type Artifact struct {
	Type          string // "" means one that says nothing
	Config        string // a file; "" means the empty config
	ConfigType    string
	LayerType     string // "" guesses it from each file's name, or else from its content
	ExcludeTitles bool   // do not name the layers after the files
	Subject       string // the image that the artifact is about
}

const (
	unknownArtifact = "application/vnd.unknown.artifact.v1"
	emptyConfig     = "application/vnd.oci.empty.v1+json"
	title           = "org.opencontainers.image.title"
)

// artifactManifest has the members of an artifact's manifest in the order in which podman writes them.
type artifactManifest struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        v1.Descriptor   `json:"config"`
	Layers        []v1.Descriptor `json:"layers"`
	Subject       *v1.Descriptor  `json:"subject,omitempty"`
}

// AddArtifact makes an artifact of files, keeps it in the store and adds it to a list, whose ID it returns. The row has
// a platform only if o says one.
func (l Lists) AddArtifact(ctx context.Context, name string, files []string, a Artifact, o AddOptions) (string, error) {
	list, err := l.find(ctx, name)
	if err != nil {
		return "", err
	}
	m := artifactManifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: cmp.Or(a.Type, unknownArtifact),
	}
	if m.Subject, err = l.subject(ctx, a.Subject); err != nil {
		return "", err
	}
	blobs := blobFiles{}
	if m.Config, err = a.config(blobs); err != nil {
		return "", err
	}
	for _, file := range files {
		layer, err := a.layer(blobs, file)
		if err != nil {
			return "", err
		}
		m.Layers = append(m.Layers, layer)
	}
	ref, err := l.keep(ctx, list.Name, m, blobs)
	if err != nil {
		return "", err
	}
	_, err = l.Amend(ctx, app.AmendOptions{
		EditOptions: app.EditOptions{OnDuplicate: string(compose.DuplicateKeep), Force: true},
		List:        list.Name, Sources: []registry.Ref{ref},
		Overrides: []compose.Overrides{{Platform: o.Platform, Annotations: o.Annotations}},
	})
	if err != nil {
		return "", err
	}
	l.note("note: the artifact is kept in the store as %s", ref.Name())
	return idOf(list.Name), nil
}

// subject describes the image that an artifact is about; nil for "".
func (l Lists) subject(ctx context.Context, typed string) (*v1.Descriptor, error) {
	if typed == "" {
		return nil, nil //nolint:nilnil // no subject is no error
	}
	ref, err := registry.ParseRef(typed)
	if err != nil {
		return nil, err
	}
	body, err := l.Raw(ctx, ref, "")
	if err != nil {
		return nil, err
	}
	m, err := registry.NewManifest("", body)
	if err != nil {
		return nil, err
	}
	d := m.Descriptor()
	return &d, nil
}

func (a Artifact) config(blobs blobFiles) (v1.Descriptor, error) {
	if a.Config == "" {
		d, err := blobs.add([]byte("{}"))
		d.MediaType = types.MediaType(cmp.Or(a.ConfigType, emptyConfig))
		d.Data = []byte("{}")
		return d, err
	}
	body, err := readArtifact(a.Config)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d, err := blobs.add(body)
	d.MediaType = types.MediaType(cmp.Or(a.ConfigType, string(types.OCIConfigJSON)))
	return d, err
}

func (a Artifact) layer(blobs blobFiles, file string) (v1.Descriptor, error) {
	body, err := readArtifact(file)
	if err != nil {
		return v1.Descriptor{}, err
	}
	d, err := blobs.add(body)
	d.MediaType = types.MediaType(cmp.Or(a.LayerType, guessType(file, body)))
	if !a.ExcludeTitles {
		d.Annotations = map[string]string{title: filepath.Base(file)}
	}
	return d, err
}

// guessType returns the type that a file's name has, or else its content, without parameters.
func guessType(file string, body []byte) string {
	full := cmp.Or(mime.TypeByExtension(filepath.Ext(file)), http.DetectContentType(body))
	if name, _, err := mime.ParseMediaType(full); err == nil {
		return name
	}
	return full
}

// maxArtifact bounds a file of an artifact, which is held in memory.
const maxArtifact = 1 << 30

func readArtifact(file string) ([]byte, error) {
	body, err := regular.Read(file, maxArtifact)
	if errors.Is(err, os.ErrNotExist) {
		return nil, registry.WithHint(
			fmt.Errorf("reading %q: %w: no such file", file, registry.ErrNotFound), "with --artifact, files follow the list's name")
	}
	return body, err
}

// keep writes an artifact into the store, under a name like the list's.
func (l Lists) keep(
	ctx context.Context, list registry.Ref, a artifactManifest, blobs blobFiles,
) (ref registry.Ref, err error) {
	body, err := json.Marshal(a)
	if err != nil {
		return ref, err
	}
	m, err := registry.NewManifest(a.MediaType, body)
	if err != nil {
		return ref, err
	}
	const enough = 12
	ref = list.At(registry.TransportStore).WithTag("artifact-" + m.Digest.Hex[:enough])
	w := l.Store.Writer(ref)
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, d := range append([]v1.Descriptor{a.Config}, a.Layers...) {
		if _, err := w.PutBlob(ctx, d, blobs); err != nil {
			return ref, err
		}
	}
	return ref, w.PutTag(ctx, ref.Tag, m)
}

// blobFiles are blobs in memory, as a source.
type blobFiles map[v1.Hash][]byte

func (b blobFiles) add(body []byte) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(body))
	b[digest] = body
	return v1.Descriptor{Digest: digest, Size: size}, err
}

// Manifest implements registry.Source: there is none.
func (b blobFiles) Manifest(context.Context, v1.Descriptor) (registry.Manifest, error) {
	return registry.Manifest{}, registry.ErrNotFound
}

// Blob implements registry.Source.
func (b blobFiles) Blob(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(b[d.Digest])), nil
}
