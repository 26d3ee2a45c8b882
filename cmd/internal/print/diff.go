package print

import (
	"fmt"
	"io"

	"mtool/inspect/diff"
	"mtool/inspect/platform"
)

type diffDocument struct {
	Schema    string         `json:"schema"`
	Same      bool           `json:"same"`
	A         diffSide       `json:"a"`
	B         diffSide       `json:"b"`
	List      []diffDetail   `json:"list"`
	Platforms []diffPlatform `json:"platforms"`
}

type diffSide struct {
	Reference string `json:"reference"`
	Digest    string `json:"digest"`
	MediaType string `json:"mediaType"`
}

type diffPlatform struct {
	Platform string       `json:"platform"`
	State    diff.State   `json:"state"`
	A        string       `json:"a,omitempty"`
	B        string       `json:"b,omitempty"`
	Changes  []diffDetail `json:"changes"`
}

type diffDetail struct {
	What string `json:"what"`
	A    string `json:"a,omitempty"`
	B    string `json:"b,omitempty"`
}

// Diff prints a difference as a table or as JSON (schema mtool.diff/v1).
func Diff(w io.Writer, output string, d diff.Result) error {
	if output == "json" {
		return writeJSON(w, diffJSON(d))
	}
	sides := newTable(w, "", nameColumn(""), digestColumn(""))
	sides.row("A", d.A.Ref.Name(), d.A.Root.Digest)
	sides.row("B", d.B.Ref.Name(), d.B.Root.Digest)
	if err := sides.flush(); err != nil {
		return err
	}
	for _, detail := range d.List {
		diffLine(w, detail)
	}
	printf(w, "\n")
	t := newTable(w, "PLATFORM", stateColumn("STATE"), digestColumn("A"), digestColumn("B"))
	for _, p := range d.Platforms {
		t.row(platform.Format(p.Platform), p.State, dash(digestString(p.A)), dash(digestString(p.B)))
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, p := range d.Platforms {
		if len(p.Details) == 0 {
			continue
		}
		printf(w, "\n%s\n", platform.Format(p.Platform))
		for _, detail := range p.Details {
			diffLine(w, detail)
		}
	}
	return nil
}

func diffLine(w io.Writer, d diff.Detail) {
	if d.A != "" {
		Paragraph(w, shortened(w, fmt.Sprintf("  - %s: %s", d.What, d.A)))
	}
	if d.B != "" {
		Paragraph(w, shortened(w, fmt.Sprintf("  + %s: %s", d.What, d.B)))
	}
}

func diffJSON(d diff.Result) diffDocument {
	side := func(s diff.Side) diffSide {
		return diffSide{s.Ref.Name(), s.Root.Digest.String(), string(s.Root.MediaType)}
	}
	doc := diffDocument{
		Schema: "mtool.diff/v1", Same: d.Same(), A: side(d.A), B: side(d.B), List: diffDetails(d.List),
		Platforms: []diffPlatform{},
	}
	for _, p := range d.Platforms {
		doc.Platforms = append(doc.Platforms, diffPlatform{
			platform.Format(p.Platform), p.State, digestString(p.A), digestString(p.B), diffDetails(p.Details),
		})
	}
	return doc
}

func diffDetails(all []diff.Detail) []diffDetail {
	out := []diffDetail{}
	for _, d := range all {
		out = append(out, diffDetail(d))
	}
	return out
}
