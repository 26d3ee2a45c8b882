package workload

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mark is the position of a value, and what must be known about it.
type mark struct {
	file    *composeFile
	at      *node
	what    string // "include", "service web: extends"
	include *node  // the item of include that names a file
	order   int    // among services
	located bool   // the mark stays after the value, to find its position later
	err     error  // why the value is unknown: this is a hole
}

// sign encloses a mark in a text. Unicode reserves this character for such uses; texts with it are refused.
const sign = "\ufdd0"

// mark returns the text of a mark.
func (p *project) mark(m mark) string {
	p.marks = append(p.marks, m)
	return fmt.Sprintf("%s%d%s", sign, len(p.marks)-1, sign)
}

// unmark returns the first mark in a text, and the text without its marks.
func (p *project) unmark(text string) (m mark, plain string, ok bool) {
	found := p.pattern.FindStringSubmatch(text)
	if found == nil {
		return m, text, false
	}
	n, err := strconv.Atoi(found[1])
	if err != nil || n >= len(p.marks) {
		return m, text, false
	}
	return p.marks[n], p.pattern.ReplaceAllString(text, ""), true
}

// decode turns what compose-go returns into nodes; around is the position of values that have none of their own.
func (p *project) decode(value any, around mark) *node {
	n := &node{from: &around, line: around.at.at()}
	switch v := value.(type) {
	case nil:
	case string:
		m, plain, marked := p.unmark(v)
		n.kind, n.text = text, plain
		if marked {
			n.from, n.line = &m, m.at.at()
		}
	case map[string]any:
		n.kind = mapping
		if m, _, ok := p.unmark(fmt.Sprint(v[placed])); ok {
			n.from, n.line = &m, m.at.at()
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.pairs = append(n.pairs, pair{key, p.decode(v[key], *n.from)})
		}
	case []any:
		n.kind = sequence
		for _, item := range v {
			n.items = append(n.items, p.decode(item, around))
		}
	default:
		n.kind, n.text = scalar, fmt.Sprint(v)
	}
	return n
}

// guard calls compose-go for the document of a file. Its errors become errors at a position in the file, and so do
// its panics, since it trusts the types of values.
func guard[T any](p *project, f *composeFile, call func() (T, error)) (value T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errorf(f.path, 0, "it is not a Compose file: %v", cause)
		}
	}()
	if value, err = call(); err == nil {
		return value, nil
	}
	message := p.pattern.ReplaceAllString(err.Error(), "")
	at := mark{file: f}
	if found, _, ok := p.unmark(err.Error()); ok {
		at = found
	} else if name := regexp.MustCompile(`services\.([^.\s:]+)`).FindStringSubmatch(message); name != nil {
		at = cmp.Or(p.services[composeServices+" "+name[1]], at)
	}
	return value, errorf(at.file.path, at.at.at(), "%s", strings.Join(strings.Fields(message), " "))
}
