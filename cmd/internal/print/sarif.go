package print

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"mtool/cmd/internal/flow"
	"mtool/inspect"
	"mtool/inspect/deep"
)

// sarifRules are what a finding can be about.
func sarifRules() map[string]string {
	return map[string]string{
		"entry":  "An entry of a manifest list must be what it claims to be",
		"layer":  "A layer must be readable, and be what its digests say",
		"binary": "A binary must be for the platform of its image",
	}
}

func sarifRule(f inspect.Finding) string {
	switch {
	case f.Path != "" || f.Role != "":
		return "binary"
	case f.Layer.Hex != "":
		return "layer"
	}
	return "entry"
}

// SARIF prints one document of version 2.1.0 for all references: every failing finding is an error, every note a note. What
// stands for the file of a source is the image's name and the path in it.
func SARIF(w io.Writer, seen []flow.Inspection, err error) error {
	run := sarif.NewRunWithInformationURI("mtool", "https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md")
	rules := sarifRules()
	for _, id := range []string{"entry", "layer", "binary"} {
		run.AddRule(id).WithDescription(rules[id])
	}
	for _, e := range Unread(err) {
		s, f := flow.Inspection{}, inspect.Finding{}
		if s.Report.Ref = e.Ref; len(e.Uses) > 0 {
			f.File, f.Line = e.Uses[0].File, e.Uses[0].Line
		}
		run.CreateResultForRule("entry").WithLevel("error").WithMessage(sarif.NewTextMessage(e.Error())).
			WithLocations([]*sarif.Location{sarifLocation(s, f)})
	}
	for _, s := range seen {
		for _, f := range s.Findings {
			level := "error"
			switch {
			case f.Fails():
			case f.State == inspect.Note && f.Rule != deep.NotStated:
				level = "note"
			default:
				continue
			}
			result := run.CreateResultForRule(sarifRule(f)).WithLevel(level).WithMessage(sarif.NewTextMessage(f.Message))
			result.WithLocations([]*sarif.Location{sarifLocation(s, f)})
			result.WithPartialFingerprints(map[string]string{"mtool/v1": fmt.Sprintf("%s %s %s %s", f.Platform, f.Path, f.Claim, f.Evidence)})
		}
	}
	report := sarif.NewReport()
	report.AddRun(run)
	return report.PrettyWrite(w)
}

func sarifLocation(s flow.Inspection, f inspect.Finding) *sarif.Location {
	uri := s.Report.Ref.Repository()
	if uri == "" {
		uri = s.Report.Ref.Name()
	}
	if f.Path != "" {
		uri += "/" + f.Path
	}
	line := 1
	if f.File != "" && f.File != "-" { // where somebody can do something about it
		uri, line = filepath.ToSlash(f.File), max(f.Line, 1)
	}
	place := sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewSimpleArtifactLocation((&url.URL{Path: uri}).String())).
		WithRegion(sarif.NewRegion().WithStartLine(line))
	name := s.Report.Ref.Name() + " " + f.Platform
	return sarif.NewLocation().WithPhysicalLocation(place).
		AddLogicalLocation(sarif.NewLogicalLocation().WithFullyQualifiedName(name))
}
