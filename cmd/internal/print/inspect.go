package print

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
)

// Inspections prints what was inspected: as one table, or as JSON documents (schema mtool.inspect/v1) one after the other.
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
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(seen) == 1 && seen[0].Unread == "" {
		heading(w, seen[0].Report)
		printf(t, "\nPLATFORM\tDIGEST\tSIZE\tCREATED\tBASE\tSTATE\n")
		rows(t, false, seen[0])
	} else {
		printf(t, "REFERENCE\tPLATFORM\tDIGEST\tSIZE\tCREATED\tBASE\tSTATE\n")
		for _, s := range seen {
			rows(t, true, s)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range seen {
		if err := errors.Join(proof(w, s, len(seen) > 1), differences(w, s)); err != nil {
			return err
		}
	}
	printf(w, "\n%s\n", lastLine(seen))
	return nil
}

func heading(w io.Writer, r inspect.Report) {
	printf(w, "%s\n%s  %s  from %s\n", r.Ref.Name(), r.Root.Digest, mediaWords(r.Root.MediaType), origin(r.Ref))
	for _, key := range keys(annotations(r)) {
		printf(w, "  %s=%s\n", key, annotations(r)[key])
	}
}

// shownState is the state of an image and, for LoongArch, the world that its programs are of.
func shownState(s app.Inspection, image int) string {
	if world := worldWords(s, image); world != "" {
		return string(s.State(image)) + ", " + world
	}
	return string(s.State(image))
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

// rows are the lines of one reference, each with its name in front if several are shown.
func rows(w io.Writer, named bool, s app.Inspection) {
	if s.Unread != "" {
		printf(w, "%s\t-\t-\t-\t-\t-\t%s\n", s.Unread, s.Findings[0].State)
	}
	name := func() {
		if named {
			printf(w, "%s\t", s.Name())
		}
	}
	for i, img := range s.Report.Images {
		name()
		printf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", dash(platformOf(img)), img.Descriptor.Digest, sizeOf(img), created(img), base(img), shownState(s, i))
		for _, a := range img.Attestations {
			name()
			attachmentRow(w, "  attestation", a)
		}
		for _, a := range img.Artifacts {
			name()
			attachmentRow(w, "  artifact", a)
		}
	}
	for _, o := range s.Report.Others {
		name()
		attachmentRow(w, "other", o)
	}
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
	if s.Cost.Layers+s.Cost.Known == 0 {
		return "claims checked; binaries not read (--deep)"
	}
	what := "binaries checked"
	if s.Level == app.Entrypoints {
		what = "only what the images start was checked"
	}
	if n := s.Cost.Whole; n > 0 {
		what += fmt.Sprintf(", and all of %s where that can't be followed,", images(n))
	}
	return fmt.Sprintf("claims checked; %s in %s%s", what, layers(s.Cost.Layers+s.Cost.Known), readWords(s.Cost))
}

// readWords is how much was read for what was checked; layers that were read by a command before are remembered.
func readWords(c deep.Cost) string {
	const again = "; --no-facts reads them again)"
	switch {
	case c.Known == 0:
		return ", " + inspect.Bytes(c.Bytes) + " read"
	case c.Layers == 0:
		return " (all read before" + again
	}
	return fmt.Sprintf(", %s read (%d read before%s", inspect.Bytes(c.Bytes), c.Known, again)
}

func images(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

func layers(n int) string {
	if n == 1 {
		return "1 layer"
	}
	return fmt.Sprintf("%d layers", n)
}

func attachmentRow(w io.Writer, label string, a inspect.Attachment) {
	state := ""
	if a.Err != nil {
		state = "unreadable"
	}
	printf(w, "%s\t%s\t%s\t\t%s\t%s\n", label, a.Descriptor.Digest, inspect.Bytes(a.Descriptor.Size), statementWords(a), state)
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
