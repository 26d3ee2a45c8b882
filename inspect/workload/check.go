package workload

import (
	"fmt"
	"path"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect"
)

// The rules of this package's notes.
const (
	RuleNoNode   = "no-node"
	RuleAccepted = "accepted-unchecked"
)

// Rules returns the rules of this package's notes.
func Rules() []inspect.Rule {
	return []inspect.Rule{
		{Name: RuleNoNode, Means: "no node of the cluster would run the workload in a file"},
		{
			Name: RuleAccepted, Means: "a file names an image that was not checked",
			Stays: "a pattern of images that may stay unchecked covers it",
		},
	}
}

// CheckOptions are requirements in addition to those of the uses.
type CheckOptions struct {
	Require []v1.Platform // required by the user
	Exact   bool          // only required platforms are allowed
}

// Check returns the findings of inspect.Check, and findings about needed platforms that are missing.
func (i Image) Check(r inspect.Report, o CheckOptions) []inspect.Finding {
	findings := inspect.Check(r, inspect.CheckOptions{})
	artifact := len(r.Images) == 0 && len(r.Others) > 0 // an image volume may have only data
	for _, n := range i.Needs {
		for _, missing := range inspect.Missing(r, inspect.CheckOptions{Require: []v1.Platform{n.Platform}, Exact: o.Exact}) {
			if len(n.Uses) == 0 {
				findings = append(findings, missing)
			}
			for _, u := range n.Uses {
				if artifact {
					continue
				}
				m := missing
				m.File, m.Line, m.Message = u.File, u.Line, m.Message+"; needed by "+u.What
				findings = append(findings, m)
			}
		}
	}
	if o.Exact {
		findings = append(findings, inspect.Surplus(r, slices.Concat(o.Require, i.Platforms()))...)
	}
	for _, u := range i.NoNode {
		text := fmt.Sprintf("no node of the cluster would run it (%s)", u.Selector)
		findings = append(findings, u.Finding(r.Root.Digest, text).Note(RuleNoNode))
	}
	return findings
}

// Finding returns a finding about an image at the place, without a state.
func (p Place) Finding(image v1.Hash, text string) inspect.Finding {
	if p.What != "" {
		text = p.What + ": " + text
	}
	return inspect.Finding{Digest: image, Message: text, File: p.File, Line: p.Line}.Printable()
}

// Pattern matches names of images; * in it matches any text, including slashes and the empty text.
type Pattern string

// ParsePattern refuses an invalid pattern, which would match nothing.
func ParsePattern(text string) (Pattern, error) {
	_, err := path.Match(text, "")
	return Pattern(text), err
}

func (p Pattern) covers(text string) bool {
	const slash = "\x00" // path.Match stops at slashes
	ok, _ := path.Match(strings.ReplaceAll(string(p), "/", slash), strings.ReplaceAll(text, "/", slash))
	return ok
}

// Finding returns a failure or, if a pattern matches the image or the place without an image, a note.
func (u Unchecked) Finding(allowed []Pattern) inspect.Finding {
	f := inspect.Finding{
		State: inspect.Unchecked, File: u.File, Line: u.Line, Claim: u.Image,
		Message: fmt.Sprintf("%s: %s: not checked", u.What, u.Why),
	}
	if u.Image != "" {
		f.Message = fmt.Sprintf("%s: %s is not checked: %s", u.What, u.Image, u.Why)
	}
	for _, p := range allowed {
		if p.covers(u.Image) || u.Image == "" && p.covers(u.What) {
			f = f.Note(RuleAccepted)
			f.Message += "; the pattern " + string(p) + " accepts it"
			break
		}
	}
	return f.Printable()
}
