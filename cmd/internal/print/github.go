package print

import (
	"fmt"
	"io"
	"strings"

	"mtool/cmd/internal/app"
	"mtool/inspect"
	"mtool/inspect/deep"
	"mtool/inspect/workload"
)

// GitHub prints a workflow command for every finding that is worth an annotation: errors for what fails and for what
// could not be read, as err says, warnings for warnings, notices for notes.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
func GitHub(w io.Writer, seen []app.Inspection, err error) error {
	for _, e := range Unread(err) {
		places := []workload.Use{{}}
		if len(e.Uses) > 0 {
			places = e.Uses
		}
		for _, u := range places {
			at := fileProperties(inspect.Finding{File: u.File, Line: u.Line})
			command(w, "error", at, e.Ref.Name(), e.Error())
		}
	}
	for _, s := range seen {
		for _, f := range deep.SumsLast(deep.Summary(s.Findings)) {
			word := "notice"
			switch {
			case f.Fails():
				word = "error"
			case f.State == inspect.Warning:
				word = "warning"
			case !app.Worth(f):
				continue
			}
			command(w, word, fileProperties(f), s.Name(), ruled(f))
		}
	}
	return nil
}

// command is the only one that writes workflow commands. Its properties are escaped already; title and text are not.
func command(w io.Writer, word, properties, title, text string) {
	Text(w, "::"+word+" "+properties+"title="+property(title)+"::"+message(text)+"\n")
}

// fileProperties put an annotation on the line that names the image. Standard input is no file of the repository.
func fileProperties(f inspect.Finding) string {
	if f.File == "" || f.File == "-" {
		return ""
	}
	return fmt.Sprintf("file=%s,line=%d,", property(f.File), max(f.Line, 1))
}

// message escapes what would end a workflow command.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes what would end a property of one.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(s))
}

// placed is the message, with the place in a file in front.
func placed(f inspect.Finding) string {
	if f.File == "" {
		return ruled(f)
	}
	return workload.Place{File: f.File, Line: f.Line}.String() + ": " + ruled(f)
}

// ruled is the message with the rule of a note behind it, by which mtool help notes has it.
func ruled(f inspect.Finding) string {
	if f.Rule == "" {
		return f.Message
	}
	return f.Message + " [" + f.Rule + "]"
}

func mark(s inspect.State) string {
	switch s {
	case inspect.Mismatch, inspect.Unchecked:
		return "❌"
	case inspect.Warning:
		return "⚠️"
	case inspect.Note, inspect.Unknown:
		return "ℹ️"
	case inspect.ClaimsOK, inspect.BinariesOK, inspect.Partial:
	}
	return "✅"
}
