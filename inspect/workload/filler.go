package workload

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
)

// filler interpolates variables with Compose's template package, which has two problems for a gate. An unset variable
// becomes empty text and a log line, which makes the name another image's. And its time grows with the square of a
// text's length.
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
	// operated is the prefix of variables with an operator, which may be unset.
	operated = "_operated_"
	// maxText and maxWork limit the work of interpolation: a text's length times its dollar signs, for one text, and for
	// all of them with the lengths of the values.
	maxText = 1 << 20
	maxWork = 16 << 20
)

var (
	errText = errors.New("the text is too long for the number of its variables")
	errWork = errors.New("the file has too many or too long texts with variables")
)

// fill interpolates a text. It fails if a variable is not set and the text has no default.
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
		return "", errors.New("it has a $ that starts no valid variable; write $$ for a dollar sign")
	case unset == nil && strings.Contains(filled, sign):
		return "", errors.New("a variable contains a noncharacter: U+FDD0")
	}
	return filled, unset
}
