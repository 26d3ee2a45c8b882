package app

import (
	"slices"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
	"mtool/inspect/workload"
)

// RulePinned is the rule of the note about a digest of one image.
const RulePinned = "pinned-platform"

// NoteRules are the rules of all notes about what is inspected.
func NoteRules() []inspect.Rule {
	return slices.Concat(inspect.Rules(), deep.NoteRules(), provenance.Rules(), signature.Rules(), parity.Rules(),
		workload.Rules(), []inspect.Rule{
			{Name: RulePinned, Means: "a digest is that of the image of one platform, where a list may have been meant"},
		})
}

// Worth reports whether a finding is one for people: a failure, a warning, or a note that says more than that nothing
// is known.
func Worth(f inspect.Finding) bool {
	return f.Fails() || f.State == inspect.Warning || f.State == inspect.Note && f.Rule != deep.NotStated
}

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
