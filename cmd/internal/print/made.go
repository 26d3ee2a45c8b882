package print

import (
	"io"
	"text/tabwriter"

	"mtool/cmd/internal/app"
	"mtool/compose/publish"
)

// Made prints PLACE@DIGEST, a line for each thing that was made, and nothing else.
func Made(w io.Writer, made ...publish.Made) {
	for _, m := range made {
		printf(w, "%s@%s\n", m.Name, m.Digest)
	}
}

// Names prints names of tags or repositories, one a line, or as JSON (schema mtool.names/v1).
func Names(w io.Writer, output string, names []string) error {
	if output == "json" {
		return writeJSON(w, struct {
			Schema string   `json:"schema"`
			Names  []string `json:"names"`
		}{"mtool.names/v1", append([]string{}, names...)})
	}
	for _, name := range names {
		printf(w, "%s\n", name)
	}
	return nil
}

// Listing prints the drafts and the store's images as a table or as JSON (schema mtool.ls/v1).
func Listing(w io.Writer, output string, rows []app.Row) error {
	if output == "json" {
		return writeJSON(w, struct {
			Schema string    `json:"schema"`
			Rows   []app.Row `json:"rows"`
		}{"mtool.ls/v1", append([]app.Row{}, rows...)})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printf(t, "NAME\tKIND\tPLATFORMS\tDIGEST\n")
	for _, r := range rows {
		printf(t, "%s\t%s\t%s\t%s\n", r.Name, r.Kind, dash(commas(r.Platforms)), dash(r.Digest))
	}
	return t.Flush()
}
