package workload

import (
	"errors"
	"fmt"
	"strings"
)

// ErrFile means that a file can't be parsed. Its text names the file and the line.
var ErrFile = errors.New("not a workload file")

// ErrTemplate is an ErrFile about a template that is not rendered yet.
var ErrTemplate = errors.New("a template that is not rendered")

// errorf returns an ErrFile at a line; 0 for the whole file.
func errorf(file string, line int, format string, args ...any) error {
	return fileError{Place{File: file, Line: line}, fmt.Errorf(format, args...)}
}

type fileError struct {
	at    Place
	cause error
}

func (e fileError) Error() string        { return e.at.String() + ": " + e.cause.Error() }
func (e fileError) Unwrap() error        { return e.cause }
func (e fileError) Is(target error) bool { return target == ErrFile }

// syntaxError converts the YAML parser's error, "yaml: line 3: reason". If the file contains {{, that is the likely
// reason.
func syntaxError(file, text string, err error) error {
	if line := templateLine(text); line > 0 {
		return errorf(file, line, "%w", ErrTemplate)
	}
	line, message := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if ours, ok := errors.AsType[lineError](err); ok {
		line = ours.line
	} else if _, scanErr := fmt.Sscanf(message, "line %d:", &line); scanErr == nil {
		_, message, _ = strings.Cut(message, ": ")
	}
	switch {
	case strings.Contains(message, "tab character"):
		line = tabLine(text, line)
	case strings.Contains(message, "cannot start any token") && tabLine(text, line) == line:
		message += "; a tab indents the line"
	}
	return errorf(file, line, "%s", strings.Join(strings.Fields(message), " "))
}

// tabLine returns the first line, from that one on, with a tab as indentation: the parser names the line where the
// value began.
func tabLine(text string, from int) int {
	n := 0
	for line := range strings.Lines(text) {
		if n++; n >= from && strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t") {
			return n
		}
	}
	return from
}

// lineError is an error at a line of a document.
type lineError struct {
	line    int
	message string
}

func (e lineError) Error() string { return e.message }
