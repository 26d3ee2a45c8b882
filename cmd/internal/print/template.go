package print

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/template"

	"mtool/cmd/internal/flow"
)

// Template is a Go template over what is printed as JSON. Its members have the names of the JSON with a capital letter:
// {{range .Platforms}}{{.Platform}} {{.Digest}}{{"\n"}}{{end}}.
type Template struct {
	template *template.Template
	text     string
}

// Wants says whether the template may use a member: what costs requests is read only then.
func (t Template) Wants(member string) bool { return strings.Contains(t.text, "."+member) }

// ParseTemplate reads a template. It may call json, join, lower and upper.
func ParseTemplate(text string) (Template, error) {
	functions := template.FuncMap{
		"json": func(v any) (string, error) {
			data, err := json.Marshal(v)
			return string(data), err
		},
		"join": func(words []string, by string) string { return strings.Join(words, by) }, "lower": strings.ToLower, "upper": strings.ToUpper,
	}
	t, err := template.New("--format").Funcs(functions).Option("missingkey=error").Parse(text)
	if err != nil {
		return Template{}, fmt.Errorf("reading the template: %w", err)
	}
	return Template{t, text}, nil
}

// Inspections fills in the template for each, and ends each with a newline.
func (t Template) Inspections(w io.Writer, seen []flow.Inspection) error {
	for _, s := range seen {
		var b strings.Builder
		if err := t.template.Execute(&b, document(s)); err != nil {
			return fmt.Errorf("filling in the template: %w", err)
		}
		if _, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
