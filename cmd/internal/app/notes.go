package app

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/compose"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/parity"
	"mtool/inspect/platform"
	"mtool/inspect/provenance"
	"mtool/inspect/signature"
	"mtool/inspect/workload"
	"mtool/registry"
)

// notes tells people what is worth knowing besides the result.
type notes struct{ tell func(string) }

func (e notes) note(format string, args ...any) { e.tell(fmt.Sprintf(format, args...)) }

func (e notes) sayAll(lines []string) {
	for _, line := range lines {
		e.tell(line)
	}
}

func (e notes) sayChanges(changes []compose.Change) {
	for _, c := range changes {
		e.tell(c.String())
	}
}

// sayOther says when the store and the registry have different images under the name that was asked for.
func (e notes) sayOther(o registry.Object) {
	if o.Other != (v1.Hash{}) {
		e.note("note: %s is %s here (%s); the other place has %s", o.Ref.Name(), o.Root.Digest, o.Ref.Transport, o.Other)
	}
}

// sayMissing names what a file does not hold of its list.
func (e notes) sayMissing(o registry.Object) {
	var names []string
	attestations := false
	for _, row := range o.Missing {
		if row.Platform == nil || row.Platform.OS == "unknown" {
			attestations = true
		} else {
			names = append(names, platform.Format(*row.Platform))
		}
	}
	if attestations {
		names = append(names, "the attestations")
	}
	if len(names) > 0 {
		e.note("note: %s does not hold all of its list, and is taken without %s", o.Ref, strings.Join(names, ", "))
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

// sayNotes tells the warnings and notes among the findings.
func (e notes) sayNotes(findings []inspect.Finding) {
	for _, f := range findings {
		if Worth(f) && !f.Fails() {
			e.note("%s: %s", f.State, f.Message)
		}
	}
}

// Worth reports whether a finding is one for people: a failure, a warning, or a note that says more than that nothing
// is known.
func Worth(f inspect.Finding) bool {
	return f.Fails() || f.State == inspect.Warning || f.State == inspect.Note && f.Rule != deep.NotStated
}

// RulePinned is the rule of the note about a digest of one image.
const RulePinned = "pinned-platform"

// NoteRules are the rules of all notes about what is inspected.
func NoteRules() []inspect.Rule {
	return slices.Concat(inspect.Rules(), deep.NoteRules(), provenance.Rules(), signature.Rules(), parity.Rules(),
		workload.Rules(), []inspect.Rule{
			{Name: RulePinned, Means: "a digest is that of the image of one platform, where a list may have been meant"},
		})
}
