package print

import (
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
	"mtool/inspect/platform"
	"mtool/registry"
)

// inspectDocument is the JSON of an inspection. A single image has the shape of a list of one.
type inspectDocument struct {
	Schema       string            `json:"schema"`
	Reference    string            `json:"reference"`
	Origin       string            `json:"origin"`
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	List         bool              `json:"list"`
	OK           bool              `json:"ok"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platforms    []platformRow     `json:"platforms"`
	Others       []attachmentJSON  `json:"others,omitempty"`
	Findings     []findingJSON     `json:"findings"`
}

type platformRow struct {
	Platform     string            `json:"platform"`
	Claim        string            `json:"claim,omitempty"`
	Config       string            `json:"config,omitempty"`
	State        inspect.State     `json:"state"`
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Nested       []string          `json:"nested,omitempty"`
	Layers       []blobJSON        `json:"layers"`
	Attestations []attachmentJSON  `json:"attestations,omitempty"`
	Error        string            `json:"error,omitempty"`
}

type blobJSON struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

type attachmentJSON struct {
	blobJSON
	Annotations map[string]string `json:"annotations,omitempty"`
}

type findingJSON struct {
	State    inspect.State `json:"state"`
	Platform string        `json:"platform,omitempty"`
	Digest   string        `json:"digest,omitempty"`
	Claim    string        `json:"claim,omitempty"`
	Evidence string        `json:"evidence,omitempty"`
	Message  string        `json:"message"`
}

func document(s flow.Inspection) inspectDocument {
	r := s.Report
	d := inspectDocument{
		Schema: "mtool.inspect/v1", Reference: r.Ref.Name(), Origin: origin(r.Ref), Digest: r.Root.Digest.String(),
		MediaType: string(r.Root.MediaType), List: r.List != nil, OK: s.Err == nil, Annotations: annotations(r),
		Platforms: []platformRow{}, Findings: []findingJSON{}, Others: attachments(r.Others),
	}
	if r.List != nil {
		d.ArtifactType = r.List.ArtifactType
	}
	for i, img := range r.Images {
		d.Platforms = append(d.Platforms, rowOf(img, s.State(i)))
	}
	for _, f := range s.Findings {
		d.Findings = append(d.Findings, findingJSON{f.State, f.Platform, digestString(f.Digest), f.Claim, f.Evidence, f.Message})
	}
	return d
}

func rowOf(img inspect.Image, state inspect.State) platformRow {
	row := platformRow{
		Platform: platformOf(img), State: state, Digest: img.Descriptor.Digest.String(), MediaType: string(img.Descriptor.MediaType),
		Size: img.Size, Annotations: img.Descriptor.Annotations, Layers: []blobJSON{}, Attestations: attachments(img.Attestations),
	}
	if p := img.Descriptor.Platform; p != nil {
		row.Claim = platform.Format(*p)
	}
	if img.Err != nil {
		row.Error = img.Err.Error()
	} else {
		row.Config = platform.Format(img.Config)
	}
	for _, n := range img.Nested {
		row.Nested = append(row.Nested, n.String())
	}
	for _, l := range img.Layers {
		row.Layers = append(row.Layers, blob(l))
	}
	return row
}

func attachments(as []inspect.Attachment) (rows []attachmentJSON) {
	for _, a := range as {
		rows = append(rows, attachmentJSON{blob(a.Descriptor), a.Descriptor.Annotations})
	}
	return rows
}

func blob(d v1.Descriptor) blobJSON { return blobJSON{string(d.MediaType), d.Digest.String(), d.Size} }

func digestString(h v1.Hash) string {
	if h == (v1.Hash{}) {
		return ""
	}
	return h.String()
}

// platformOf is what the list claims, or, where it claims nothing, what the config says.
func platformOf(img inspect.Image) string {
	switch {
	case img.Descriptor.Platform != nil:
		return platform.Format(*img.Descriptor.Platform)
	case img.Err == nil && img.Config.OS != "":
		return platform.Format(img.Config)
	}
	return ""
}

func annotations(r inspect.Report) map[string]string {
	if r.List == nil {
		return nil
	}
	return r.List.Annotations
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// origin is where a name was found, in a word.
func origin(ref registry.Ref) string {
	switch ref.Transport {
	case registry.TransportRegistry:
		return "registry"
	case registry.TransportStore:
		return "store"
	case registry.TransportDraft:
		return "draft"
	}
	return string(ref.Transport)
}
