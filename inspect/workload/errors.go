package workload

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// ErrFile says that a file can't be read as what it should be. Its text names the file and the line.
var ErrFile = errors.New("not a workload file")

// ErrTemplate is an ErrFile of templates that are not rendered yet.
var ErrTemplate = errors.New("a template that is not rendered")

// errorf is an ErrFile at a line; 0: at the file as such.
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

// syntaxError is what the YAML parser says, with the line counted from the start of the file; offset is where the document
// starts. Where the document has {{ in it, the likely reason is that.
func syntaxError(file, document string, offset int, err error) error {
	if line := templateLine(document); line > 0 {
		return errorf(file, offset+line, "%w", ErrTemplate)
	}
	line, message := 0, err.Error()
	var ours lineError
	var located yaml.Error
	switch {
	case errors.As(err, &ours):
		line = offset + ours.line
	case errors.As(err, &located):
		message = strings.ReplaceAll(located.GetMessage(), "\t", `\t`)
		if t := located.GetToken(); t != nil && t.Position != nil {
			line = offset + t.Position.Line
		}
	}
	return errorf(file, line, "%s", strings.Join(strings.Fields(message), " "))
}

// templateLine is the first line that has {{ outside a comment; 0: none.
func templateLine(document string) int {
	n := 0
	for line := range strings.Lines(document) {
		n++
		if strings.Contains(line, "{{") && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			return n
		}
	}
	return 0
}

// lineError is at a line of its document.
type lineError struct {
	line    int
	message string
}

func (e lineError) Error() string { return e.message }
