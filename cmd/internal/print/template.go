package print

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"

	"mtool/cmd/internal/app"
)

// Template is a Go template over what is printed as JSON. Its members have the names of the JSON with a capital letter:
// {{range .Platforms}}{{.Platform}} {{.Digest}}{{"\n"}}{{end}}.
type Template struct {
	template *template.Template
	text     string
}

// Wants reports whether the template may use a member: what costs requests is read only then.
func (t Template) Wants(member string) bool { return strings.Contains(t.text, "."+member) }

// ParseTemplate reads a template. It may call json, join, lower and upper. The template's own text is printed as it is,
// and values on one line each; json is what prints them without a loss.
func ParseTemplate(text string) (Template, error) {
	functions := template.FuncMap{
		"json": func(v any) (verbatim, error) {
			data, err := json.Marshal(v)
			return verbatim(data), err
		},
		"join":  func(words []string, by string) verbatim { return verbatim(strings.Join(lines(words), by)) },
		"lower": strings.ToLower, "upper": strings.ToUpper,
	}
	t, err := parseTemplate("--format", text, functions)
	if err != nil {
		return Template{}, fmt.Errorf("reading the template: %w", err)
	}
	return Template{t.Option("missingkey=error"), text}, nil
}

// Inspections fills in the template for each, and ends each with a newline.
func (t Template) Inspections(w io.Writer, seen []app.Inspection) error {
	for _, s := range seen {
		var b strings.Builder
		if err := t.template.Execute(&b, document(s)); err != nil {
			return fillError(err)
		}
		Text(w, strings.TrimSuffix(b.String(), "\n")+"\n")
	}
	return nil
}

// fillError puts what is wrong with a template into the user's words: text/template names types of Go.
func fillError(err error) error {
	text := err.Error()
	if _, at, ok := strings.Cut(text, "executing \"--format\" at "); ok {
		text, _, _ = strings.Cut(at, " in type ")
	}
	return errors.New(strings.Replace(text, "can't evaluate field ", "there is no member ", 1))
}

// verbatim is what a function of a template has escaped.
type verbatim string

// parseTemplate reads a template whose values go through shown, as those of html/template are escaped.
func parseTemplate(name, text string, functions template.FuncMap) (*template.Template, error) {
	t, err := template.New(name).Funcs(template.FuncMap{
		"shown":   shown,
		"print":   func(args ...any) verbatim { return verbatim(fmt.Sprint(shownArgs(args)...)) },
		"println": func(args ...any) verbatim { return verbatim(fmt.Sprintln(shownArgs(args)...)) },
		"printf":  func(format string, args ...any) verbatim { return verbatim(fmt.Sprintf(format, shownArgs(args)...)) },
	}).Funcs(functions).Parse(text)
	if err != nil {
		return nil, err
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			showAll(each.Tree, each.Root)
		}
	}
	return t, nil
}

// showAll puts shown at the end of every pipeline that prints, save those that are a constant of the template's author.
func showAll(tree *parse.Tree, node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			showAll(tree, child)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 && !constant(n.Pipe) {
			name := parse.NewIdentifier("shown").SetTree(tree).SetPos(n.Pos)
			n.Pipe.Cmds = append(n.Pipe.Cmds,
				&parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{name}})
		}
	case *parse.IfNode:
		showAll(tree, n.List)
		showAll(tree, n.ElseList)
	case *parse.RangeNode:
		showAll(tree, n.List)
		showAll(tree, n.ElseList)
	case *parse.WithNode:
		showAll(tree, n.List)
		showAll(tree, n.ElseList)
	}
}

func constant(p *parse.PipeNode) bool {
	return len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 && p.Cmds[0].Args[0].Type() == parse.NodeString
}

// shown is a value as the template prints it. A colon in front can't complete a command that the text before it began.
func shown(value any) string {
	if text, ok := value.(verbatim); ok {
		return string(text)
	}
	text := Line(fmt.Sprint(pointedTo(value)))
	if rest, ok := strings.CutPrefix(text, ":"); ok {
		return `\u003a` + rest
	}
	return text
}

// pointedTo is what text/template prints of a pointer, and of nothing.
func pointedTo(value any) any {
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		switch v.Interface().(type) {
		case error, fmt.Stringer:
			return v.Interface()
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return "<no value>"
	}
	return v.Interface()
}

// shownArgs are arguments of print and its kin. Numbers stay what they are.
func shownArgs(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if out[i] = a; !isNumber(a) {
			out[i] = shown(a)
		}
	}
	return out
}

func lines(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = shown(s)
	}
	return out
}
