package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// exemption counts the files that one rule covered.
type exemption struct {
	rule  Rule
	files int
	first string
	what  string
}

func (j *judgement) exempt(r Rule, path, reason string) {
	if e := j.exemptions[r.Name]; e != nil {
		e.files++
		return
	}
	j.exemptions[r.Name] = &exemption{rule: r, files: 1, first: path, what: reason}
}

// reportExemptions adds one note for each rule that covered files, in the order of the rules.
func (j *judgement) reportExemptions() {
	for _, r := range Rules() {
		e := j.exemptions[r.Name]
		if e == nil || r.Quiet {
			continue
		}
		f := j.finding("").Note(r.Name)
		f.Path, f.Role, f.Evidence = e.first, roleOther, e.what
		f.Message = fmt.Sprintf("%s: %s: /%s %s", j.name(), r.Name, e.first, e.what)
		if e.files > 1 {
			f.Message = fmt.Sprintf("%s: %s: %s; the first, /%s, %s", j.name(), r.Name, inspect.Count(e.files, "file"),
				e.first, e.what)
		}
		j.add(f)
	}
}

// reportLabel adds a note about the exemptions that the image itself requests.
func (j *judgement) reportLabel() {
	if j.config.Config.Labels.AllowForeign == "" {
		return
	}
	var patterns []string
	for _, g := range j.labelGlobs {
		patterns = append(patterns, g.String())
	}
	f := j.finding("").Note(ruleLabel)
	f.Evidence = strings.Join(patterns, ",")
	f.Message = fmt.Sprintf("%s: the image's own label %s requests exemptions: %s", j.name(), Label, f.Evidence)
	switch {
	case len(patterns) == 0:
		f.Evidence = fmt.Sprintf("it has no pattern of up to %d bytes, or more than %d", maxGlob, maxGlobs)
		f.Message = fmt.Sprintf("%s: the image's own label %s is ignored: %s", j.name(), Label, f.Evidence)
	case j.options.Strict || j.options.IgnoreLabels:
		f.Message += " (ignored)"
	}
	j.add(f)
}

func article(role string) string {
	switch role {
	case roleOther:
		return "the program"
	case roleLinked, roleShared, roleObject, roleLibc, roleShell, string(rootfs.Entrypoint), string(rootfs.Init),
		string(rootfs.Interpreter),
		string(rootfs.Loader):
	}
	return "the " + role
}
