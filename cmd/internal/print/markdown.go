package print

import (
	"fmt"
	"io"
	"strings"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
	"mtool/inspect/deep"
)

// Markdown prints a section for each reference: a table of the platforms, and below it what was found, which signatures there
// are and what commands printed, as for a job summary; in front of them what could not be read, as err says.
func Markdown(w io.Writer, seen []flow.Inspection, err error) error {
	for _, e := range Unread(err) {
		fmt.Fprintf(w, "### %s\n\n❌ %s\n\n", code(e.Ref.Name()), code(e.Error()))
	}
	for _, s := range seen {
		r := s.Report
		fmt.Fprintf(w, "### %s\n\n%s `%s`\n\n", code(r.Ref.Name()), mediaWords(r.Root.MediaType), r.Root.Digest)
		fmt.Fprintln(w, "| | Platform | Digest | Size | State |\n|---|---|---|---|---|")
		for i, img := range r.Images {
			fmt.Fprintf(w, "| %s | %s | `%s` | %s | %s |\n", mark(s.State(i)), dash(platformOf(img)), img.Descriptor.Digest, sizeOf(img), s.State(i))
		}
		fmt.Fprintln(w)
		for _, f := range deep.Summary(s.Findings) {
			if f.Fails() || f.State == inspect.Note && f.Rule != deep.NotStated {
				fmt.Fprintf(w, "- %s %s\n", mark(f.State), code(placed(f)))
			}
		}
		fmt.Fprintln(w)
		markdownProof(w, s)
	}
	if len(seen) == 0 {
		return nil
	}
	_, err = fmt.Fprintf(w, "%s\n\n", lastLine(seen))
	return err
}

// ranWords say what an output is not.
const ranWords = "That a command ran says nothing about the architecture of the binaries."

// markdownProof prints the tables of what was looked at beyond claims and binaries.
func markdownProof(w io.Writer, s flow.Inspection) {
	if s.Signatures != nil {
		fmt.Fprintln(w, "| Signatures | Signed | Found |\n|---|---|---|")
		for _, row := range signatureRows(s) {
			fmt.Fprintf(w, "| %s | %s | %s |\n", code(row.Name), row.Signed, code(row.Found))
		}
		fmt.Fprintln(w)
	}
	if s.Runs == nil {
		return
	}
	fmt.Fprintln(w, "| Ran on | How | Exit | Time | Output |\n|---|---|---|---|---|")
	for _, row := range runRows(s) {
		var lines []string
		for _, line := range row.Lines {
			if line != "" {
				line = code(line)
			}
			lines = append(lines, line)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", row.Platform, row.How, row.Exit, row.Took, strings.Join(lines, "<br>"))
	}
	fmt.Fprintf(w, "\n%s\n\n", ranWords)
}

// code makes text of somebody else harmless in Markdown.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦", "\n", " ", "\r", " ").Replace(s) + "`"
}
