package print

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/platform"
)

// Inspections prints what was inspected: as one table, or as JSON documents (schema mtool.inspect/v1) one after the
// other.
func Inspections(w io.Writer, output string, seen []app.Inspection) error {
	if output == "json" {
		for _, s := range seen {
			if err := writeJSON(w, document(s)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(seen) == 0 {
		return nil
	}
	if err := imageTable(w, seen); err != nil {
		return err
	}
	for _, s := range seen {
		if err := errors.Join(proof(w, s, len(seen) > 1), differences(w, s)); err != nil {
			return err
		}
	}
	printf(w, "\n")
	Paragraph(w, lastLine(seen))
	return nil
}

// imageTable prints a row for each image; the names of several references are in front.
func imageTable(w io.Writer, seen []app.Inspection) error {
	heads := []any{"PLATFORM", stateColumn("STATE"), digestColumn("DIGEST"), "SIZE", "CREATED", pathColumn("BASE")}
	if len(seen) == 1 && seen[0].Unread == "" {
		heading(w, seen[0].Report)
		t := newTable(w, heads...)
		rows(seen[0], t.row)
		return t.flush()
	}
	t := newTable(w, append([]any{column{name: "REFERENCE", above: true}}, heads...)...)
	for _, s := range seen {
		if s.Unread != "" {
			t.row(s.Unread, "-", s.Findings[0].State, "-", "-", "-", "-")
		}
		rows(s, func(cells ...any) { t.row(append([]any{s.Name()}, cells...)...) })
	}
	return t.flush()
}

func heading(w io.Writer, r inspect.Report) {
	printf(w, "%s\n", r.Ref.Name())
	side(w, r.Root.Digest.String(), mediaWords(r.Root.MediaType), "from "+origin(r.Ref))
	for _, key := range keys(annotations(r)) {
		Paragraph(w, fmt.Sprintf("  %s=%s", key, annotations(r)[key]))
	}
	printf(w, "\n")
}

// shownState is the state of an image, for LoongArch the world that its programs are of, and how many warnings there
// are.
func shownState(s app.Inspection, image int) string {
	state := string(s.State(image))
	if world := worldWords(s, image); world != "" {
		state += ", " + world
	}
	if n := warnings(s, image); n > 0 {
		state += ", " + inspect.Count(n, "warning")
	}
	return state
}

// warnings counts what is likely wrong in an image and fails under strict rules only.
func warnings(s app.Inspection, image int) int {
	if image >= len(s.Findings) {
		return 0
	}
	about, n := s.Findings[image], 0
	for _, f := range s.Findings {
		if f.State == inspect.Warning && f.Digest == about.Digest && f.Platform == about.Platform {
			n++
		}
	}
	return n
}

func worldWords(s app.Inspection, image int) string {
	if image >= len(s.Findings) || s.Findings[image].World == "" {
		return ""
	}
	return string(s.Findings[image].World) + " world"
}

// abiWords are how the programs of an image pass arguments, and their world.
func abiWords(s app.Inspection, image int) string {
	if image >= len(s.Findings) {
		return ""
	}
	return strings.Trim(s.Findings[image].ABI+", "+worldWords(s, image), ", ")
}

// rows adds a row for each image of a reference, and for what belongs to it.
func rows(s app.Inspection, add func(cells ...any)) {
	for i, img := range s.Report.Images {
		add(shownPlatform(img), shownState(s, i), img.Descriptor.Digest, sizeOf(img), created(img), base(img))
		for _, a := range img.Attestations {
			add(attachmentRow("  attestation", a)...)
		}
		for _, a := range img.Artifacts {
			add(attachmentRow("  artifact", a)...)
		}
	}
	for _, o := range s.Report.Others {
		add(otherRow(s, o)...)
	}
}

// otherRow is the row of what belongs to no image: an artifact, an attestation, a blob.
func otherRow(s app.Inspection, a inspect.Attachment) []any {
	if !a.IsArtifact() {
		return attachmentRow("other", a)
	}
	state := "artifact"
	for _, f := range s.Findings {
		if f.Digest == a.Descriptor.Digest && f.State != inspect.Note {
			state = string(f.State)
		}
	}
	return []any{cmp.Or(artifactPlatform(a), "-"), state, a.Descriptor.Digest, inspect.Bytes(a.Size()), "-", dash(artifactType(a))}
}

// artifactPlatform is the platform that an artifact claims; "" for none.
func artifactPlatform(a inspect.Attachment) string {
	if p := a.Platform(); !platform.IsUnknown(p) {
		return platform.Format(p)
	}
	return ""
}

// artifactType is what the manifest says or, if it was not read, the list.
func artifactType(a inspect.Attachment) string {
	return cmp.Or(a.ArtifactType, a.Descriptor.ArtifactType)
}

// shownPlatform is the platform of an image, and of a copy in another compression which one.
func shownPlatform(img inspect.Image) string {
	shown := dash(platformOf(img))
	if packed := inspect.CompressionOf(img.Descriptor); packed != "" {
		shown += " (" + strings.ReplaceAll(packed, "=true", "") + ")"
	}
	return shown
}

// created is the day on which the image was made.
func created(img inspect.Image) string {
	if at := img.Created(); !at.IsZero() {
		return at.UTC().Format("2006-01-02")
	}
	return "-"
}

// base is what the image was built on, with the start of its digest.
func base(img inspect.Image) string {
	const digits = len("sha256:") + 12
	b := img.Base()
	if b.Digest == "" {
		return dash(b.Name)
	}
	return b.Name + "@" + b.Digest[:min(digits, len(b.Digest))]
}

// lastLine says what the states rest on.
func lastLine(seen []app.Inspection) string {
	s := seen[0]
	if !slices.ContainsFunc(seen, func(s app.Inspection) bool { return s.Unread == "" }) {
		return "nothing was looked at"
	}
	switch {
	case s.Level == app.Claims:
		return "claims checked; binaries not read (--deep)"
	case s.Cost.Layers+s.Cost.Known == 0:
		return "claims checked; there was no layer to read"
	}
	what := "binaries checked"
	if s.Level == app.Entrypoints {
		what = "only what the images start was checked"
	}
	if n := s.Cost.Whole; n > 0 {
		what += fmt.Sprintf(", and all of %s where that can't be followed,", images(n))
	}
	return "claims checked; " + what + " in " + app.CostWords(s.Cost) + warned(seen)
}

// warned says how many warnings there are, and what makes failures of them.
func warned(seen []app.Inspection) string {
	total := 0
	for _, s := range seen {
		for i := range s.Report.Images {
			total += warnings(s, i)
		}
	}
	if total == 0 {
		return ""
	}
	return "; " + inspect.Count(total, "warning") + " (--strict fails on them)"
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

func attachmentRow(label string, a inspect.Attachment) []any {
	state := ""
	if a.Err != nil {
		state = "unreadable"
	}
	return []any{label, state, a.Descriptor.Digest, inspect.Bytes(a.Descriptor.Size), "", statementWords(a)}
}

func sizeOf(img inspect.Image) string {
	if img.Err != nil {
		return "-"
	}
	return inspect.Bytes(img.Size)
}

func mediaWords(m types.MediaType) string {
	switch m {
	case types.OCIImageIndex:
		return "OCI list"
	case types.DockerManifestList:
		return "Docker list"
	case types.OCIManifestSchema1:
		return "OCI image"
	case types.DockerManifestSchema2:
		return "Docker image"
	case "":
		return "unknown"
	}
	return string(m)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func commas(words []string) string { return strings.Join(words, ",") }
