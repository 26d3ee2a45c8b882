package print

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"
	"text/template"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/app/podman"
	"mtool/compose/publish"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/registry"
)

// DockerManifest prints as docker manifest inspect does: a list indented by three blanks, an image by tabs, and with
// verbose what is known of each image. The members are those of the registry's bytes, all of them.
func DockerManifest(w io.Writer, d app.DockerManifest, verbose bool) error {
	root := d.Report.Root
	if d.Entry != nil {
		root = d.Entry.Manifest
	}
	if verbose {
		return dockerVerbose(w, d)
	}
	indent := "\t"
	if root.IsList() {
		indent = "   "
	}
	var b bytes.Buffer
	if err := json.Indent(&b, root.Body, "", indent); err != nil {
		return err
	}
	Text(w, b.String()+"\n")
	return nil
}

// dockerImage is the shape of docker manifest inspect --verbose.
type dockerImage struct {
	Ref              string
	Descriptor       v1.Descriptor
	Raw              []byte          `json:",omitempty"`
	SchemaV2Manifest json.RawMessage `json:",omitempty"`
	OCIManifest      json.RawMessage `json:",omitempty"`
}

func dockerVerbose(w io.Writer, d app.DockerManifest) error {
	var value any
	switch {
	case d.Entry != nil:
		value = dockerImageOf(d.Report.Ref, *d.Entry)
	case d.Report.List == nil && len(d.Report.Images) == 1:
		value = dockerImageOf(d.Report.Ref, d.Report.Images[0])
	default:
		all := []dockerImage{}
		for _, img := range d.Report.Images {
			all = append(all, dockerImageOf(d.Report.Ref, img))
		}
		value = all
	}
	return writeIndented(w, value, "\t")
}

func dockerImageOf(ref registry.Ref, img inspect.Image) dockerImage {
	i := dockerImage{Ref: ref.Name(), Descriptor: img.Descriptor, Raw: img.Manifest.Body}
	if ref.Digest == (v1.Hash{}) && img.Nested == nil {
		i.Ref = ref.Name() + "@" + img.Descriptor.Digest.String()
	}
	if strings.Contains(string(img.Descriptor.MediaType), "docker") {
		i.SchemaV2Manifest = img.Manifest.Body
	} else {
		i.OCIManifest = img.Manifest.Body
	}
	return i
}

// DockerDigest prints the digest alone, as docker manifest push does.
func DockerDigest(w io.Writer, d publish.Done) {
	for _, m := range d.Made {
		printf(w, "%s\n", m.Digest)
	}
}

// DockerCreated prints what docker manifest create does.
func DockerCreated(w io.Writer, list registry.Ref) {
	printf(w, "Created manifest list %s\n", list.Name())
}

// PodmanManifest prints a list as podman manifest inspect does.
func PodmanManifest(w io.Writer, body []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "    "); err != nil {
		return err
	}
	Text(w, b.String()+"\n")
	return nil
}

// PodmanRemoved prints what podman manifest rm does.
func PodmanRemoved(w io.Writer, removed []podman.Removed) {
	for _, r := range removed {
		printf(w, "Untagged: %s\n", r.Name)
	}
	for _, r := range removed {
		printf(w, "Deleted: %s\n", r.ID)
	}
}

// Body prints the bytes that would be written, as buildx imagetools create --dry-run does.
func Body(w io.Writer, d publish.Done) error {
	var b bytes.Buffer
	if err := json.Indent(&b, d.Root.Body, "", "  "); err != nil {
		return err
	}
	Text(w, b.String()+"\n")
	return nil
}

// Imagetools prints as buildx imagetools inspect does.
func Imagetools(w io.Writer, r inspect.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	printf(t, "Name:\t%s\nMediaType:\t%s\nDigest:\t%s\n", r.Ref.Name(), r.Root.MediaType, r.Root.Digest)
	if err := t.Flush(); err != nil || r.List == nil {
		return err
	}
	printf(t, "\t\nManifests:\t\n")
	rows := imagetoolsRows(r)
	for i, d := range rows {
		if i > 0 {
			printf(t, "\t\n")
		}
		printf(t, "  Name:\t%s\n  MediaType:\t%s\n", r.Ref.WithDigest(d.Digest).Name(), d.MediaType)
		if d.Platform != nil {
			printf(t, "  Platform:\t%s\n", platform.Format(*d.Platform))
		}
		for i, k := range keys(d.Annotations) {
			label := "  Annotations:"
			if i > 0 {
				label = "  "
			}
			printf(t, "%s\t  %s:\t%s\n", label, k, d.Annotations[k])
		}
	}
	return t.Flush()
}

// imagetoolsRows are the rows of the list as it is written.
func imagetoolsRows(r inspect.Report) []v1.Descriptor {
	var body struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	_ = json.Unmarshal(r.Root.Body, &body) // it was read before
	return body.Manifests
}

// imagetoolsView is what buildx's templates see, in its names.
type imagetoolsView struct {
	Name     string `json:"name,omitempty"`
	Manifest any    `json:"manifest,omitempty"`
	Image    any    `json:"image,omitempty"`

	Provenance any `json:"-"`
	SBOM       any `json:"-"`
}

// ImagetoolsParts returns what ImagetoolsFormat needs for this format.
func ImagetoolsParts(format string) app.ImagetoolsParts {
	return app.ImagetoolsParts{
		Configs:    format != "",
		Statements: strings.Contains(format, ".Provenance") || strings.Contains(format, ".SBOM"),
	}
}

// ImagetoolsFormat prints by a Go template over .Name, .Manifest, .Image, .Provenance and .SBOM, as buildx imagetools
// inspect --format does: without a line break at the end. The last three are those of the image, or of a list those of
// each of its platforms.
func ImagetoolsFormat(w io.Writer, format string, tools app.Tools) error {
	t, err := parseTemplate("format", format, template.FuncMap{"json": indented})
	if err != nil {
		return err
	}
	if strings.ReplaceAll(format, " ", "") == "{{.Manifest}}" { // buildx shows what it shows without a template
		return Imagetools(w, tools.Report)
	}
	view := imagetoolsView{Name: tools.Report.Ref.Name()}
	if view.Manifest, err = capitalised(tools.Report.Root); err != nil {
		return err
	}
	configs, provenances := map[string]v1.ConfigFile{}, map[string]provenance.SLSADocument{}
	sboms := map[string]provenance.SBOMDocuments{}
	for name, raw := range tools.Configs {
		var config v1.ConfigFile
		if err := json.Unmarshal(raw, &config); err != nil {
			return err
		}
		configs[name], view.Image = config, config
	}
	view.Provenance, view.SBOM = provenance.SLSADocument{}, provenance.SBOMDocuments{}
	for name, s := range tools.Statements {
		if s.Provenance != nil {
			provenances[name] = *s.Provenance
		}
		if s.SBOM != nil {
			sboms[name] = *s.SBOM
		}
	}
	if tools.Report.List != nil {
		view.Image, view.Provenance, view.SBOM = configs, provenances, sboms
	}
	return t.Execute(w, view)
}

// manifestView is .Manifest: the descriptor of the root and, of a list, its rows.
type manifestView struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	Digest        string               `json:"digest"`
	Size          int64                `json:"size"`
	Manifests     []ocispec.Descriptor `json:"manifests,omitempty"`
	Annotations   map[string]string    `json:"annotations,omitempty"`
}

func capitalised(m registry.Manifest) (manifestView, error) {
	view := manifestView{}
	err := json.Unmarshal(m.Body, &view)
	view.MediaType, view.Digest, view.Size = string(m.MediaType), m.Digest.String(), int64(len(m.Body))
	return view, err
}

func indented(v any) (verbatim, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return verbatim(b), err
}
