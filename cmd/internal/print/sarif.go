package print

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/binary"
)

// sarifDoc and what follows are the few members of SARIF that are written here, by their names in the standard:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. A library would link a validator of JSON schemas
// too.
type sarifDoc struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
	// Properties are facts of images that are no results: section 3.8.
	Properties *sarifFacts `json:"properties,omitempty"`
}

type sarifFacts struct {
	Platforms []sarifImage `json:"platforms"`
}

type sarifImage struct {
	Image    string        `json:"image"`
	Platform string        `json:"platform"`
	State    inspect.State `json:"state"`
	ABI      string        `json:"abi,omitempty"`
	World    binary.World  `json:"world,omitempty"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifPlace      `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints,omitempty"`
}

type sarifPlace struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			StartLine int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
	Logical []sarifName `json:"logicalLocations"`
}

type sarifName struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
}

// sarifMessage is plain text without a link: "[words](target)" would be one (section 3.11.6).
func sarifMessage(text string) sarifText { return sarifText{strings.ReplaceAll(text, "](", "] (")} }

// sarifRules are what a finding can be about: three rules of what must hold, and those of notes.
func sarifRules() []sarifRule {
	all := []sarifRule{
		{"entry", sarifText{"An entry of a manifest list must be what it claims to be"}},
		{"layer", sarifText{"A layer must be readable, and be what its digests say"}},
		{"binary", sarifText{"A binary must be for the platform of its image"}},
		{"workload", sarifText{"An image that a deployment names must be one that can be looked at"}},
	}
	for _, r := range app.NoteRules() {
		all = append(all, sarifRule{r.Name, sarifMessage(r.Means)})
	}
	return all
}

func sarifRuleOf(s app.Inspection, f inspect.Finding) string {
	switch {
	case s.Unread != "":
		return "workload"
	case f.Rule != "":
		return f.Rule
	case f.Path != "" || f.Role != "":
		return "binary"
	case f.Layer.Hex != "":
		return "layer"
	}
	return "entry"
}

// SARIF prints one document of version 2.1.0 for all references: every failing finding is an error, every other one a
// warning or a note. What stands for the file of a source is the image's name and the path in it.
func SARIF(w io.Writer, seen []app.Inspection, err error) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{
		"mtool", "https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md",
		sarifRules(),
	}
	for _, e := range Unread(err) {
		s, f := app.Inspection{}, inspect.Finding{}
		if s.Report.Ref = e.Ref; len(e.Uses) > 0 {
			f.File, f.Line = e.Uses[0].File, e.Uses[0].Line
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: "entry", Level: "error", Message: sarifMessage(e.Error()), Locations: []sarifPlace{sarifPlaceOf(s, f)},
		})
	}
	for _, s := range seen {
		for _, f := range s.Findings {
			level := "error"
			switch {
			case f.State == inspect.Warning:
				level = "warning"
			case !app.Worth(f):
				continue
			case f.State == inspect.Note:
				level = "note"
			}
			run.Results = append(run.Results, sarifResult{
				RuleID: sarifRuleOf(s, f), Level: level, Message: sarifMessage(f.Message),
				Locations:    []sarifPlace{sarifPlaceOf(s, f)},
				Fingerprints: map[string]string{"mtool/v1": fmt.Sprintf("%s %s %s %s", f.Platform, f.Path, f.Claim, f.Evidence)},
			})
		}
	}
	run.Properties = sarifFactsOf(seen)
	return writeJSON(w, sarifDoc{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifFactsOf are the ABIs of images where they are known; nil: none is.
func sarifFactsOf(seen []app.Inspection) *sarifFacts {
	var facts sarifFacts
	for _, s := range seen {
		for n, img := range s.Report.Images {
			if abiWords(s, n) != "" {
				f := s.Findings[n]
				facts.Platforms = append(facts.Platforms, sarifImage{s.Name(), platformOf(img), s.State(n), f.ABI, f.World})
			}
		}
	}
	if facts.Platforms == nil {
		return nil
	}
	return &facts
}

func sarifPlaceOf(s app.Inspection, f inspect.Finding) (p sarifPlace) {
	uri := s.Report.Ref.Repository()
	if uri == "" {
		uri = s.Name()
	}
	if f.Path != "" {
		uri += "/" + f.Path
	}
	line := 1
	if f.File != "" && f.File != "-" { // where somebody can do something about it
		uri, line = filepath.ToSlash(f.File), max(f.Line, 1)
	}
	p.Physical.Artifact.URI = (&url.URL{Path: uri}).String()
	p.Physical.Region.StartLine = line
	p.Logical = []sarifName{{s.Name() + " " + f.Platform}}
	return p
}
