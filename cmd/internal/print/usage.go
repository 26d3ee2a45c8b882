package print

import (
	"fmt"
	"io"

	"mtool/cmd/internal/app"
)

// Usage prints what each place takes as a table or as JSON (schema mtool.du/v1).
func Usage(w io.Writer, output string, rows []app.Used) error {
	if output == "json" {
		return writeJSON(w, struct {
			Schema string     `json:"schema"`
			Rows   []app.Used `json:"places"`
		}{"mtool.du/v1", append([]app.Used{}, rows...)})
	}
	t := newTable(w, "PLACE", "ITEMS", "SIZE", "PRUNABLE", pathColumn("DIRECTORY"))
	for _, r := range rows {
		prunable := "-"
		if r.Place == "builds" {
			prunable = bytesOf(r.Prunable)
		}
		t.row(r.Place, r.Items, bytesOf(r.Bytes), prunable, r.Dir)
	}
	return t.flush()
}

// Freed says what pruning gave back.
func Freed(f app.Freed) string {
	return fmt.Sprintf("freed %s of %s, %s left", bytesOf(f.Bytes),
		map[string]string{"store": "the store", "builds": "the build cache"}[f.Place], bytesOf(f.Left))
}

// bytesOf is a size for people, decimal.
func bytesOf(n int64) string {
	const step = 1000
	size, unit := float64(n), 0
	units := []string{"B", "kB", "MB", "GB", "TB"}
	for size >= step && unit < len(units)-1 {
		size, unit = size/step, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
