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

// notes passes remarks to the user, a line each.
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

// SayDoubts notes images that a list has as what their configs deny, and platforms that several images have.
func (e notes) SayDoubts(l compose.List) {
	for _, entry := range l.Entries {
		if is := entry.Config; !entry.Artifact && !platform.IsUnknown(is) && !platform.Agrees(entry.Platform(), is) {
			e.note("warning: %s is listed as %s, but its config says %s", entry.Digest(), platform.Format(entry.Platform()),
				platform.Format(is))
		}
	}
	if err := l.Distinct(); err != nil {
		e.note("warning: %v", err)
	}
}

// sayOther notes that the store and the registry have different images under one name.
func (e notes) sayOther(o registry.Object) {
	if o.Other != (v1.Hash{}) {
		here, there := "the store", "its registry"
		if o.Ref.Transport == registry.TransportRegistry {
			here, there = there, here
		}
		e.note("note: %s is %s in %s, and %s in %s", o.Ref.Name(), o.Root.Digest, here, o.Other, there)
	}
}

// sayMissing notes which entries of a list are not in its file.
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
		e.note("note: %s has only a part of its list, without %s", o.Ref, strings.Join(names, ", "))
	}
}

// sayLabels notes the labels that differ between the images.
func (e notes) sayLabels(report inspect.Report) {
	var entries []parity.Entry
	for _, i := range report.Images {
		entries = append(entries, parity.Entry{Image: &i})
	}
	for _, d := range parity.Compare(entries) {
		if d.Rule == parity.RuleLabel {
			e.note("note: %s", d)
		}
	}
}

// sayNotes passes on the warnings and notes among the findings.
func (e notes) sayNotes(findings []inspect.Finding) {
	for _, f := range findings {
		if Worth(f) && !f.Fails() {
			e.note("%s: %s", f.State, f.Message)
		}
	}
}

// Worth reports whether a finding is worth showing to people. A note that nothing is stated is not.
func Worth(f inspect.Finding) bool {
	return f.Fails() || f.State == inspect.Warning || f.State == inspect.Note && f.Rule != deep.NotStated
}

// RulePinned is the rule of the note about a digest of one image.
const RulePinned = "pinned-platform"

// NoteRules returns the rules of all notes that Inspect makes.
func NoteRules() []inspect.Rule {
	return slices.Concat(inspect.Rules(), deep.NoteRules(), provenance.Rules(), signature.Rules(), parity.Rules(),
		workload.Rules(), []inspect.Rule{
			{Name: RulePinned, Means: "a digest names the image of one platform, where a list may have been meant"},
		})
}
