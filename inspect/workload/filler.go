package workload

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
)

// filler fills in variables, by Compose's template package, which has two habits that a gate can't live with. A variable that
// is not set is nothing to it, and a log line: an image name with a hole is another image's. And its time grows with the square
// of a text's length.
type filler struct {
	operators *regexp.Regexp // where a variable has an operator: ${NAME:-
	literal   *regexp.Regexp // a line of .env whose value is in single quotes
	work      int
}

func newFiller() *filler {
	return &filler{
		operators: regexp.MustCompile(`\$\$|\$\{[_a-zA-Z][_a-zA-Z0-9]*:?[-+?]`),
		literal:   regexp.MustCompile(`^\s*(export\s+)?[^=:']*[=:]\s*'`),
	}
}

const (
	// operated begins the names of variables that have an operator, for which being unset is no error.
	operated = "_operated_"
	// maxText and maxWork limit what is done to fill variables in: the length of a text times its dollar signs, in one text, and
	// in all of them with the lengths of the values.
	maxText = 1 << 20
	maxWork = 16 << 20
)

var (
	errText = errors.New("the text is too long for the number of its variables")
	errWork = errors.New("the file has too many or too long texts with variables")
)

// fill returns a text with its variables filled in. It fails where one is not set and the text says nothing in its place.
func (f *filler) fill(text string, lookup variables) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	work := len(text) * strings.Count(text, "$")
	switch {
	case work > maxText, strings.Contains(text, operated):
		return "", errText
	case f.work+work > maxWork:
		return "", errWork
	}
	f.work += work
	var unset error
	refused := map[string]error{}
	marked := f.operators.ReplaceAllStringFunc(text, func(s string) string {
		if s == "$$" {
			return s
		}
		return "${" + operated + s[2:]
	})
	filled, err := template.Substitute(marked, func(name string) (string, bool) {
		name, hasOperator := strings.CutPrefix(name, operated)
		value, set, err := lookup(name)
		switch f.work += len(value); {
		case f.work > maxWork:
			unset = errWork
			return "", true
		case set:
			return value, true
		case hasOperator:
			refused[name] = err
			return "", false
		}
		unset = cmp.Or(unset, err, fmt.Errorf("the variable %s is not set", name))
		return "", true // false would be logged
	})
	var missing *template.MissingRequiredError
	switch {
	case errors.As(err, &missing):
		name := strings.TrimPrefix(missing.Variable, operated)
		return "", cmp.Or(refused[name], fmt.Errorf("the variable %s is not set: %s", name, missing.Reason))
	case err != nil:
		return "", errors.New("it has a $ that begins no variable as Compose writes them; a dollar sign is written $$")
	case unset == nil && strings.Contains(filled, sign):
		return "", errors.New("a variable has a character in it that is none: U+FDD0")
	}
	return filled, unset
}
