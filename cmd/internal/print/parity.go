package print

import (
	"io"
	"slices"

	"mtool/cmd/internal/app"
)

// mostRows is how many differences people are shown.
const mostRows = 50

// differenceTable is what differs between images for one system.
type differenceTable struct {
	Platforms []string
	Rows      []differenceRow
}

type differenceRow struct {
	What   string
	Values []string // by platform
}

// differenceTables are the tables for people, and how many rows are left out.
func differenceTables(s app.Inspection) (tables []differenceTable, more int) {
	for n, d := range s.Differences {
		if n == mostRows {
			return tables, len(s.Differences) - mostRows
		}
		var names, values []string
		for _, v := range d.Values {
			names, values = append(names, v.Platform), append(values, dash(v.Value))
		}
		if last := len(tables) - 1; last < 0 || !slices.Equal(tables[last].Platforms, names) {
			tables = append(tables, differenceTable{Platforms: names})
		}
		last := &tables[len(tables)-1]
		last.Rows = append(last.Rows, differenceRow{d.What, values})
	}
	return tables, 0
}

// differences prints what differs, by platform.
func differences(w io.Writer, s app.Inspection) error {
	tables, more := differenceTables(s)
	for _, d := range tables {
		printf(w, "\n")
		heads := []any{column{name: "DIFFERENCE", breaks: true}}
		for _, p := range d.Platforms {
			heads = append(heads, textColumn(p))
		}
		t := newTable(w, heads...)
		for _, row := range d.Rows {
			cells := []any{row.What}
			for _, v := range row.Values {
				cells = append(cells, v)
			}
			t.row(cells...)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if more > 0 {
		printf(w, "and %d more; all are in -o json\n", more)
	}
	return nil
}

// differenceJSON is something in which the images differ; a platform without a value has nothing of it.
type differenceJSON struct {
	Rule   string            `json:"rule"` // a row of mtool help notes
	What   string            `json:"what"`
	Values map[string]string `json:"values"` // by platform
}

func differencesOf(s app.Inspection) (all []differenceJSON) {
	for _, d := range s.Differences {
		j := differenceJSON{d.Rule, d.What, map[string]string{}}
		for _, v := range d.Values {
			if v.Value != "" {
				j.Values[v.Platform] = v.Value
			}
		}
		all = append(all, j)
	}
	return all
}
