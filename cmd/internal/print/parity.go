package print

import (
	"io"
	"slices"
	"text/tabwriter"

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
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	tables, more := differenceTables(s)
	for _, table := range tables {
		printf(t, "\n")
		tabbed(t, "DIFFERENCE", table.Platforms)
		for _, row := range table.Rows {
			tabbed(t, row.What, row.Values)
		}
	}
	if more > 0 {
		printf(t, "and %d more; all are in -o json\n", more)
	}
	return t.Flush()
}

func tabbed(w io.Writer, first string, cells []string) {
	printf(w, "%s", first)
	for _, c := range cells {
		printf(w, "\t%s", c)
	}
	printf(w, "\n")
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
