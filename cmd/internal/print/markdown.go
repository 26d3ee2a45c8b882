package print

import (
	"fmt"
	"io"
	"strings"

	"mtool/cmd/internal/app"
	"mtool/inspect/deep"
)

// Markdown prints a section for each reference: a table of the platforms, and below it what was found, which signatures
// there are and what commands printed, as for a job summary; in front of them what could not be read, as err says.
func Markdown(w io.Writer, seen []app.Inspection, err error) error {
	for _, e := range Unread(err) {
		markdownf(w, "### %s\n\n❌ %s\n\n", span(e.Ref.Name()), span(e.Error()))
	}
	for _, s := range seen {
		markdownf(w, "### %s\n\n", span(s.Name()))
		if s.Unread == "" {
			markdownRows(w, s)
		}
		for _, f := range deep.SumsLast(deep.Summary(s.Findings)) {
			if app.Worth(f) {
				markdownf(w, "- %s %s\n", mark(f.State), span(placed(f)))
			}
		}
		markdownf(w, "\n")
		markdownProof(w, s)
		markdownDifferences(w, s)
	}
	if len(seen) == 0 {
		return nil
	}
	markdownf(w, "%s\n\n", lastLine(seen))
	return nil
}

func markdownRows(w io.Writer, s app.Inspection) {
	markdownf(w, "%s %s\n\n", mediaWords(s.Report.Root.MediaType), span(s.Report.Root.Digest.String()))
	markdownf(w, "| | Platform | Digest | Size | State |\n|---|---|---|---|---|\n")
	for i, img := range s.Report.Images {
		markdownf(w, "| %s | %s | %s | %s | %s |\n", mark(s.State(i)), dash(platformOf(img)),
			span(img.Descriptor.Digest.String()), sizeOf(img), shownState(s, i))
	}
	markdownf(w, "\n")
}

// ranWords say what an output is not.
const ranWords = "That a command ran says nothing about the architecture of the binaries."

// markdownProof prints the tables of what was looked at beyond claims and binaries.
func markdownProof(w io.Writer, s app.Inspection) {
	if s.Signatures != nil {
		markdownf(w, "| Signatures | Signed | Found |\n|---|---|---|\n")
		for _, row := range signatureRows(s) {
			markdownf(w, "| %s | %s | %s |\n", span(row.Name), row.Signed, span(row.Found))
		}
		markdownf(w, "\n")
	}
	if s.Runs == nil {
		return
	}
	markdownf(w, "| Ran on | How | Exit | Time | Output |\n|---|---|---|---|---|\n")
	for _, row := range runRows(s) {
		var lines []string
		for _, line := range row.Lines {
			if line != "" {
				line = code(line)
			}
			lines = append(lines, line)
		}
		markdownf(w, "| %s | %s | %s | %s | %s |\n", row.Platform, row.How, row.Exit, row.Took,
			ready(strings.Join(lines, "<br>")))
	}
	markdownf(w, "\n%s\n\n", ranWords)
}

// markdownDifferences prints what differs, by platform.
func markdownDifferences(w io.Writer, s app.Inspection) {
	cells := func(all []string) ready {
		var shown []string
		for _, text := range all {
			shown = append(shown, markdownText(text))
		}
		return ready(strings.Join(shown, " | "))
	}
	tables, more := differenceTables(s)
	for _, t := range tables {
		markdownf(w, "\n| Difference | %s |\n%s\n", cells(t.Platforms), ready(strings.Repeat("|---", len(t.Platforms)+1)+"|"))
		for _, row := range t.Rows {
			markdownf(w, "| %s | %s |\n", row.What, cells(row.Values))
		}
	}
	if more > 0 {
		markdownf(w, "\nand %d more; all are in -o json\n", more)
	}
	if len(tables) > 0 {
		markdownf(w, "\n")
	}
}

// What markdownf takes as it is, and what it shows as code; all else is text.
type (
	ready string
	span  string
)

// markdownf is fmt.Fprintf, with arguments that are no markup.
func markdownf(w io.Writer, format string, args ...any) {
	shown := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case ready:
			shown[i] = string(v)
		case span:
			shown[i] = code(string(v))
		default:
			shown[i] = each([]any{a}, markdownText)[0]
		}
	}
	_, _ = fmt.Fprintf(w, format, shown...) // Out keeps the error
}

// code makes text of somebody else harmless in Markdown.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦").Replace(Line(s)) + "`"
}

// markdownText is text as it is, or as code where it has characters that could be markup.
func markdownText(s string) string {
	if strings.ContainsAny(s, "`|<>[]()*_~#&!\\@$\"'") || strings.Contains(s, "://") || Line(s) != s {
		return code(s)
	}
	return s
}
