package print

import (
	"io"

	"mtool/cmd/internal/app"
	"mtool/inspect/platform"
)

type resolveDocument struct {
	Schema    string      `json:"schema"`
	Reference string      `json:"reference"`
	Digest    string      `json:"digest"`
	MediaType string      `json:"mediaType"`
	Taken     []takenJSON `json:"taken"`
}

type takenJSON struct {
	Node     string           `json:"node"`
	Runtime  platform.Runtime `json:"runtime"`
	Found    bool             `json:"found"`
	Platform string           `json:"platform,omitempty"`
	Digest   string           `json:"digest,omitempty"`
	Why      string           `json:"why"`
}

// Resolved prints which entry each runtime takes for each node, as a table or as JSON (schema mtool.resolve/v1).
func Resolved(w io.Writer, output string, r app.Resolved) error {
	root := r.Report.Root
	d := resolveDocument{
		Schema: "mtool.resolve/v1", Reference: r.Report.Ref.Name(), Digest: root.Digest.String(),
		MediaType: string(root.MediaType), Taken: []takenJSON{},
	}
	for _, t := range r.Taken {
		row := takenJSON{Node: platform.Format(t.Node), Runtime: t.Runtime, Found: t.Found, Why: t.Why}
		if t.Found {
			row.Platform, row.Digest = platform.Format(t.Platform), t.Digest.String()
		}
		d.Taken = append(d.Taken, row)
	}
	if output == "json" {
		return writeJSON(w, d)
	}
	t := newTable(w, "NODE", "RUNTIME", "TAKES", digestColumn("DIGEST"), textColumn("WHY"))
	for _, row := range d.Taken {
		t.row(row.Node, row.Runtime, dash(row.Platform), dash(row.Digest), row.Why)
	}
	return t.flush()
}
