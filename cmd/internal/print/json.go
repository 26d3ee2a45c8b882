package print

import (
	"maps"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/binary"
	"mtool/inspect/platform"
	"mtool/registry"
)

// inspectDocument is the JSON of an inspection. A single image has the shape of a list of one.
type inspectDocument struct {
	Schema       string            `json:"schema"`
	Reference    string            `json:"reference"`
	Repository   string            `json:"repository,omitempty"` // the reference without tag and digest
	Origin       string            `json:"origin"`
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	List         bool              `json:"list"`
	OK           bool              `json:"ok"`
	Level        app.Level         `json:"level"`          // claims, binaries (--deep), entrypoints (--entrypoint-only)
	Cost         *costJSON         `json:"cost,omitempty"` // with --deep
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platforms    []platformRow     `json:"platforms"`
	Others       []attachmentJSON  `json:"others,omitempty"`
	Uses         []useJSON         `json:"uses,omitempty"`     // with --files
	Required     []string          `json:"required,omitempty"` // platforms: --require, --cluster, or what the uses need
	Findings     []findingJSON     `json:"findings"`
	Differences  []differenceJSON  `json:"differences,omitempty"` // with --same
	// Digests are the list and its images as REPOSITORY@DIGEST, for signers and scanners.
	Digests []string `json:"digests"`
	// Signed and Unsigned are there with --signatures and --signed-by: whether the list, or the single image, has a
	// signature (with --signed-by: by one of the keys), and those of Digests that have none.
	Signed     *bool           `json:"signed,omitempty"`
	Unsigned   []string        `json:"unsigned,omitempty"`
	Signatures []signatureJSON `json:"signatures,omitempty"` // of the list, or the single image
}

type platformRow struct {
	Platform     string            `json:"platform"`
	Claim        string            `json:"claim,omitempty"`
	Config       string            `json:"config,omitempty"`
	State        inspect.State     `json:"state"`
	Digest       string            `json:"digest"`
	MediaType    string            `json:"mediaType"`
	Size         int64             `json:"size"`
	Created      string            `json:"created,omitempty"` // RFC 3339
	Base         *baseJSON         `json:"base,omitempty"`    // what the image says it was built on
	Annotations  map[string]string `json:"annotations,omitempty"`
	Nested       []string          `json:"nested,omitempty"`
	Layers       []blobJSON        `json:"layers"`
	Attestations []attachmentJSON  `json:"attestations,omitempty"`
	Artifacts    []attachmentJSON  `json:"artifacts,omitempty"`
	Error        string            `json:"error,omitempty"`
	// with --deep: hard float, lp64d, elfv2, where the machine has several
	ABI        string          `json:"abi,omitempty"`
	World      binary.World    `json:"world,omitempty"`   // with --deep, of loong64: old or new
	Stopped    *stopJSON       `json:"stopped,omitempty"` // with --deep: where what the image starts is no longer followed
	Signed     *bool           `json:"signed,omitempty"`  // as the document's, for this image
	Signatures []signatureJSON `json:"signatures,omitempty"`
	Provenance *statementJSON  `json:"provenance,omitempty"` // with --provenance, or a template that uses it
	SBOM       *statementJSON  `json:"sbom,omitempty"`       // with a template that uses it
	Run        *runJSON        `json:"run,omitempty"`        // with --run
}

type blobJSON struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

type baseJSON struct {
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// useJSON is a place in a file that names the image.
type useJSON struct {
	File string `json:"file"`
	Line int    `json:"line"`
	What string `json:"what"` // Deployment shop/web, container app
}

type attachmentJSON struct {
	blobJSON
	ArtifactType string            `json:"artifactType,omitempty"`
	Platform     string            `json:"platform,omitempty"` // that an artifact claims: no program in it is checked
	Annotations  map[string]string `json:"annotations,omitempty"`
	Predicates   []string          `json:"predicates,omitempty"` // the types of the statements in an attestation
	Signatures   []signatureJSON   `json:"signatures,omitempty"` // with --signatures, --signed-by
}

// costJSON is what --deep read, for all references of the command: layers that several have are read once.
type costJSON struct {
	Layers int   `json:"layers"` // distinct ones
	Bytes  int64 `json:"bytes"`  // of them, compressed
	Known  int   `json:"known"`  // distinct layers that were not read, since an earlier run had
}

// stopJSON is where following what an image starts ended before its end.
type stopJSON struct {
	At  string `json:"at,omitempty"` // the program or script, as it was named
	Why string `json:"why"`          // "a script"
}

// findingJSON is a finding; what stands below Stopped is there for those about files and layers.
type findingJSON struct {
	State    inspect.State `json:"state"`
	Platform string        `json:"platform,omitempty"`
	Digest   string        `json:"digest,omitempty"`
	Claim    string        `json:"claim,omitempty"`
	Evidence string        `json:"evidence,omitempty"`
	Message  string        `json:"message"`
	Rule     string        `json:"rule,omitempty"` // a row of mtool help notes, or of mtool help foreign-files
	Stopped  *stopJSON     `json:"stopped,omitempty"`
	Path     string        `json:"path,omitempty"`  // as in the layer, without a leading slash
	Layer    string        `json:"layer,omitempty"` // its digest
	// why the file matters: entrypoint, init, interpreter, loader, libc, shell, shared object, other
	Role    string `json:"role,omitempty"`
	Package string `json:"package,omitempty"`
	File    string `json:"file,omitempty"` // with --files: the file and the line that name the image
	Line    int    `json:"line,omitempty"`
}

func document(s app.Inspection) inspectDocument {
	r := s.Report
	d := inspectDocument{
		Schema: "mtool.inspect/v1", Reference: s.Name(), Repository: r.Ref.Repository(), Origin: originOf(s),
		Digest:    digestString(r.Root.Digest),
		MediaType: string(r.Root.MediaType), List: r.List != nil, OK: s.Err == nil, Annotations: annotations(r),
		Platforms: []platformRow{}, Findings: []findingJSON{}, Others: attachments(r.Others),
	}
	if r.List != nil {
		d.ArtifactType = r.List.ArtifactType
	}
	if d.Level = s.Level; s.Level != app.Claims {
		d.Cost = &costJSON{s.Cost.Layers, s.Cost.Bytes, s.Cost.Known}
	}
	for i, img := range r.Images {
		row := rowOf(img, s.State(i))
		if i < len(s.Findings) {
			row.ABI, row.World, row.Stopped = s.Findings[i].ABI, s.Findings[i].World, stopped(s.Findings[i])
		}
		d.Platforms = append(d.Platforms, row)
	}
	for _, u := range s.Uses {
		d.Uses = append(d.Uses, useJSON{u.File, u.Line, u.What})
	}
	for _, p := range s.Required {
		d.Required = append(d.Required, platform.Format(p))
	}
	for _, f := range s.Findings {
		d.Findings = append(d.Findings, finding(f))
	}
	d.Differences = differencesOf(s)
	d.addProof(s)
	return d
}

func finding(f inspect.Finding) findingJSON {
	return findingJSON{
		State: f.State, Platform: f.Platform, Digest: digestString(f.Digest), Claim: f.Claim, Evidence: f.Evidence,
		Message: f.Message,
		Path:    f.Path, Layer: digestString(f.Layer), Role: f.Role, Rule: f.Rule, Package: f.Package, Stopped: stopped(f),
		File: f.File, Line: f.Line,
	}
}

func stopped(f inspect.Finding) *stopJSON {
	if f.Stopped == nil {
		return nil
	}
	return &stopJSON{f.Stopped.At, f.Stopped.Why}
}

func rowOf(img inspect.Image, state inspect.State) platformRow {
	row := platformRow{
		Platform: platformOf(img), State: state, Digest: img.Descriptor.Digest.String(),
		MediaType: string(img.Descriptor.MediaType),
		Size:      img.Size, Annotations: img.Descriptor.Annotations, Layers: []blobJSON{},
		Attestations: attachments(img.Attestations),
		Artifacts:    attachments(img.Artifacts),
	}
	if p := img.Descriptor.Platform; p != nil {
		row.Claim = platform.Format(*p)
	}
	if img.Err != nil {
		row.Error = img.Err.Error()
	} else {
		row.Config = platform.Format(img.Config)
	}
	if at := img.Created(); !at.IsZero() {
		row.Created = at.UTC().Format(time.RFC3339)
	}
	if b := img.Base(); b != (inspect.Base{}) {
		row.Base = &baseJSON{b.Name, b.Digest}
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
		row := attachmentJSON{blobJSON: blob(a.Descriptor), Annotations: a.Descriptor.Annotations}
		if a.IsArtifact() {
			row.ArtifactType, row.Platform = artifactType(a), artifactPlatform(a)
		}
		for _, s := range a.Statements() {
			row.Predicates = append(row.Predicates, s.Predicate)
		}
		rows = append(rows, row)
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

// originOf returns where the image was found; "unread" is one that a file names and that was not read.
func originOf(s app.Inspection) string {
	if s.Unread != "" {
		return "unread"
	}
	return origin(s.Report.Ref)
}

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
