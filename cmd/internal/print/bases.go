package print

import (
	"cmp"
	"io"
	"text/tabwriter"

	"mtool/inspect/baseimage"
)

// Bases prints how images stand to their base images, as a table or as JSON (schema mtool.bases/v1).
func Bases(w io.Writer, output string, all []baseimage.Standing) error {
	if output == "json" {
		return writeJSON(w, struct {
			Schema string               `json:"schema"`
			Images []baseimage.Standing `json:"images"`
		}{"mtool.bases/v1", append([]baseimage.Standing{}, all...)})
	}
	if len(all) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printf(t, "PLATFORM\tSTATE\tBASE\tREASON\n")
	for _, s := range all {
		printf(t, "%s\t%s\t%s\t%s\n", cmp.Or(s.Platform, "-"), s.State, dash(s.Base), dash(s.Reason))
	}
	return t.Flush()
}
