package print

import (
	"io"
	"strings"
	"text/tabwriter"

	"mtool/cmd/internal/flow"
)

// mostRows is how many differences people are shown.
const mostRows = 50

// differences prints a table of what differs, by platform.
func differences(w io.Writer, s flow.Inspection) error {
	if len(s.Differences) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var before string
	for n, d := range s.Differences {
		if n == mostRows {
			break
		}
		var names, values []string
		for _, v := range d.Values {
			names, values = append(names, v.Platform), append(values, dash(v.Value))
		}
		if head := strings.Join(names, "\t"); head != before { // images of another system
			printf(t, "\n")
			tabbed(t, "DIFFERENCE", names)
			before = head
		}
		tabbed(t, d.What, values)
	}
	if more := len(s.Differences) - mostRows; more > 0 {
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

func differencesOf(s flow.Inspection) (all []differenceJSON) {
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
