package build

import (
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/registry"
)

// syntaxError is a Dockerfile that can't be parsed, shown with the line that is wrong.
type syntaxError struct {
	path, text string
	line       int // from 1; 0 is unknown
	err        error
}

func newSyntaxError(path string, text []byte, err error) error {
	e := &syntaxError{path: shown(path), err: err}
	if at := (*parser.LocationError)(nil); errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		e.line = at.Locations[0][0].Start.Line
	}
	if lines := strings.Split(string(text), "\n"); e.line > 0 && e.line <= len(lines) {
		e.text = strings.TrimRight(lines[e.line-1], "\r")
	}
	return e
}

func (e *syntaxError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines are the place and what is wrong there; then the line, and a caret under its first word.
func (e *syntaxError) Lines() []string {
	if e.line == 0 || strings.TrimSpace(e.text) == "" {
		return []string{fmt.Sprintf("parsing Dockerfile %q: %v", e.path, e.err)}
	}
	text := strings.ReplaceAll(e.text, "\t", " ") // so that the caret stands below its word
	indent := len(text) - len(strings.TrimLeft(text, " "))
	gutter := fmt.Sprintf("%5d | ", e.line)
	return []string{
		fmt.Sprintf("parsing Dockerfile %q, line %d: %v", e.path, e.line, e.err),
		gutter + text,
		strings.Repeat(" ", len(gutter)+indent) + "^",
	}
}

func (e *syntaxError) Unwrap() []error { return []error{registry.ErrUsage, e.err} }
