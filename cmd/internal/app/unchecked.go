package app

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/workload"
	"mtool/registry"
)

// unread makes an inspection of every image that files name and nobody can look at, each once, with a finding for each place.
func (e notes) unread(all []workload.Unchecked, o InspectOptions, cost deep.Cost) (seen []Inspection, err error) {
	index := map[string]int{}
	for _, u := range all {
		finding := uncheckedFinding(u, o.Workloads.AllowUnchecked)
		n, known := index[u.Image]
		if !known {
			n = len(seen)
			index[u.Image] = n
			seen = append(seen, Inspection{Unread: cmp.Or(finding.Claim, "(no image)"), Level: o.level(), Cost: cost})
		}
		seen[n].Uses = append(seen[n].Uses, workload.Use{Place: u.Place, Image: u.Image})
		seen[n].Findings = append(seen[n].Findings, finding)
	}
	var errs []error
	for n := range seen {
		told := slices.Clone(seen[n].Findings)
		for i, f := range told {
			told[i].Message = workload.Place{File: f.File, Line: f.Line}.String() + ": " + f.Message
		}
		e.sayNotes(told)
		if seen[n].Err = inspect.Failed(told); seen[n].Err != nil && !o.NoVerify {
			errs = append(errs, registry.WithHint(seen[n].Err, "--image-field KIND=PATH checks what stands there, --allow-unchecked PATTERN accepts it (mtool help deploy)"))
		}
	}
	return seen, errors.Join(errs...)
}

func uncheckedFinding(u workload.Unchecked, allowed []string) inspect.Finding {
	f := inspect.Finding{State: inspect.Unchecked, File: u.File, Line: u.Line, Claim: u.Image, Message: fmt.Sprintf("%s: %s: not checked", u.What, u.Why)}
	if u.Image != "" {
		f.Message = fmt.Sprintf("%s: %s is not checked: %s", u.What, u.Image, u.Why)
	}
	for _, pattern := range allowed {
		if covers(pattern, u.Image) || u.Image == "" && covers(pattern, u.What) {
			f = f.Note(RuleAccepted)
			f.Message += "; --allow-unchecked " + pattern + " accepts it"
			break
		}
	}
	return f.Printable()
}

// CheckPattern refuses a pattern that can match nothing.
func CheckPattern(pattern string) error {
	_, err := path.Match(pattern, "")
	return err
}

// covers reports whether a pattern, in which * stands for anything, is one of the text.
func covers(pattern, text string) bool {
	const slash = "\x00" // path.Match stops at slashes
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(text, "/", slash))
	return ok
}
