package app

import (
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
)

// compare adds what differs between the images of a list, as far as they were read.
func (e notes) compare(one *Inspection, f found, layers deep.Result, same bool) {
	if f.report.List == nil {
		return
	}
	entries := make([]parity.Entry, len(f.chosen))
	for n, i := range f.chosen {
		entries[n].Image = f.report.Images[i]
		if n < len(layers.Contents) {
			entries[n].Contents = layers.Contents[n]
		}
	}
	findings, differences := parity.Findings(f.report, entries, same)
	one.Findings = append(one.Findings, findings...)
	if same {
		one.Differences = differences
	}
}

// sayLabels tells labels that differ between the images of what is to be written.
func (e notes) sayLabels(report inspect.Report) {
	var entries []parity.Entry
	for _, i := range report.Images {
		entries = append(entries, parity.Entry{Image: i})
	}
	for _, d := range parity.Compare(entries) {
		if d.Rule == parity.RuleLabel {
			e.note("note: %s", d)
		}
	}
}
