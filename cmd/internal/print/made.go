package print

import (
	"io"

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
	t := newTable(w, nameColumn("NAME"), "KIND", textColumn("PLATFORMS"), digestColumn("DIGEST"))
	for _, r := range rows {
		t.row(r.Name, r.Kind, dash(commas(r.Platforms)), dash(r.Digest))
	}
	return t.flush()
}
