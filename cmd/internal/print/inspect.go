package print

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
)

// Inspections prints what was inspected: as tables, or as JSON documents (schema mtool.inspect/v1) one after the other.
func Inspections(w io.Writer, output string, seen []flow.Inspection) error {
	for i, s := range seen {
		if output == "json" {
			if err := writeJSON(w, document(s)); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := table(w, s); err != nil {
			return err
		}
	}
	return nil
}

func table(w io.Writer, s flow.Inspection) error {
	r := s.Report
	fmt.Fprintf(w, "%s\n%s  %s  from %s\n", r.Ref.Name(), r.Root.Digest, mediaWords(r.Root.MediaType), origin(r.Ref))
	for _, key := range keys(annotations(r)) {
		fmt.Fprintf(w, "  %s=%s\n", key, annotations(r)[key])
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nPLATFORM\tDIGEST\tSIZE\tMEDIA TYPE\tSTATE")
	for i, img := range r.Images {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", dash(platformOf(img)), img.Descriptor.Digest, sizeOf(img), mediaWords(img.Descriptor.MediaType), s.State(i))
		for _, a := range img.Attestations {
			attachmentRow(t, "  attestation", a)
		}
	}
	for _, o := range r.Others {
		attachmentRow(t, "other", o)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "\n"+lastLine(s))
	return err
}

// lastLine says what the states rest on.
func lastLine(s flow.Inspection) string {
	if s.Cost.Layers+s.Cost.Known == 0 {
		return "claims checked; binaries not read (--deep)"
	}
	what := "binaries read"
	if s.Level == flow.Entrypoints {
		what = "only what the images start was read"
	}
	line := fmt.Sprintf("claims checked; %s: %s, %s", what, layers(s.Cost.Layers), flow.Bytes(s.Cost.Bytes))
	if s.Cost.Known > 0 {
		line += fmt.Sprintf("; %s known from before (--no-facts reads them again)", layers(s.Cost.Known))
	}
	return line
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
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", label, a.Descriptor.Digest, flow.Bytes(a.Descriptor.Size), mediaWords(a.Descriptor.MediaType), state)
}

func sizeOf(img inspect.Image) string {
	if img.Err != nil {
		return "-"
	}
	return flow.Bytes(img.Size)
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
