package deep

import (
	"fmt"
	"strings"

	"mtool/inspect"
	"mtool/inspect/rootfs"
)

// excuse is what one rule covered.
type excuse struct {
	rule  Rule
	files int
	first string
	what  string
}

func (j *judgement) excuse(r Rule, path, reason string) {
	if x := j.excused[r.Name]; x != nil {
		x.files++
		return
	}
	j.excused[r.Name] = &excuse{rule: r, files: 1, first: path, what: reason}
}

// excuses makes one note of what each rule covered, in the order of the table.
func (j *judgement) excuses() {
	for _, r := range Rules() {
		x := j.excused[r.Name]
		if x == nil || r.Quiet {
			continue
		}
		f := j.finding("").Note(r.Name)
		f.Path, f.Role, f.Evidence = x.first, roleOther, x.what
		f.Message = fmt.Sprintf("%s: %s: /%s %s", j.name(), r.Name, x.first, x.what)
		if x.files > 1 {
			f.Message = fmt.Sprintf("%s: %s: %s; the first, /%s, %s", j.name(), r.Name, inspect.Count(x.files, "file"),
				x.first, x.what)
		}
		j.add(f)
	}
}

// wish shows what the image asks for itself.
func (j *judgement) wish() {
	if j.config.Config.Labels.AllowForeign == "" {
		return
	}
	var patterns []string
	for _, g := range j.label {
		patterns = append(patterns, g.String())
	}
	f := j.finding("").Note(ruleLabel)
	f.Evidence = strings.Join(patterns, ",")
	f.Message = fmt.Sprintf("%s: the image's own label %s asks for exemptions: %s", j.name(), Label, f.Evidence)
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
