package buildkit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"mtool/build"
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

// Error is the place and what is wrong there; then the line, and a caret under its first word.
func (e *syntaxError) Error() string {
	if e.line == 0 || strings.TrimSpace(e.text) == "" {
		return fmt.Sprintf("parsing Dockerfile %q: %v", e.path, e.err)
	}
	indent := len(e.text) - len(strings.TrimLeft(e.text, " \t"))
	gutter := fmt.Sprintf("%5d | ", e.line)
	return fmt.Sprintf("parsing Dockerfile %q, line %d: %v\n%s%s\n%s%s^", e.path, e.line, e.err, gutter, e.text,
		strings.Repeat(" ", len(gutter)), strings.Map(blank, e.text[:indent]))
}

// blank keeps tabs, so that the caret stands below its word however wide they are.
func blank(r rune) rune {
	if r == '\t' {
		return r
	}
	return ' '
}

func (e *syntaxError) Unwrap() []error { return []error{build.ErrUsage, e.err} }
