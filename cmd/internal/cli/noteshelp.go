package cli

import (
	"io"

	"mtool/cmd/internal/app"
	"mtool/cmd/internal/print"
	"mtool/inspect/deep"
)

const notesLead = `What mtool inspect notes of images that may be what they claim to be. The name of the rule is "rule" in -o json and "ruleId"
in -o sarif, and stands in brackets in junit, github, markdown and html. With --strict a note is a failure (exit code 3), in
every output, unless the verdict would be the same without it. What the rules of mtool help foreign-files excuse is noted by
their names.`

// writeNotes prints the table by which notes are made.
func writeNotes(w io.Writer) {
	print.Text(w, notesLead+"\n\n")
	for _, r := range app.NoteRules() {
		if deep.IsFileRule(r.Name) {
			continue
		}
		strict := "fails"
		if r.Stays != "" {
			strict = "stays a note: " + r.Stays
		}
		print.Text(w, r.Name+"\n  note:      "+r.Means+"\n  --strict:  "+strict+"\n")
	}
}
