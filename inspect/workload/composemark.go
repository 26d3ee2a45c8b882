package workload

import (
	"cmp"
	"errors"
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

// explain turns an error of compose-go into one about a position in a file.
func (p *project) explain(first *composeFile, err error) error {
	if ours, ok := errors.AsType[fileError](err); ok {
		return ours
	}
	message := p.pattern.ReplaceAllString(err.Error(), "")
	for _, copied := range p.files {
		message = strings.ReplaceAll(message, copied.copy, copied.path)
	}
	at := p.last
	if found, _, ok := p.unmark(err.Error()); ok {
		at = found
	} else if name := regexp.MustCompile(`service "([^"]+)"|services\.([^.\s:]+)`).FindStringSubmatch(
		message); name != nil {
		at = p.services[composeServices+" "+name[1]+name[2]]
	}
	if round := circle(message); round != nil {
		message = "circular reference: " + strings.Join(round, ", ")
		if name, _, service := strings.Cut(round[0], " in "); service {
			message = "service " + name + ": extends: " + message
			at = cmp.Or(p.services[composeServices+" "+name], at)
		} else {
			message = "include: " + message
		}
	}
	if at.file == nil {
		at = mark{file: first}
	}
	return errorf(at.file.path, at.at.at(), "%s", strings.Join(strings.Fields(message), " "))
}

// circle returns the services or files that lead back to the first. compose-go starts with a random one, this
// function with the first by name.
func circle(message string) []string {
	lines := strings.Split(message, "\n")
	switch lines[0] {
	case "Circular reference:", "include cycle detected:":
	default:
		return nil
	}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		lines[i] = strings.TrimPrefix(strings.TrimPrefix(line, "extends "), "include ")
	}
	last := len(lines) - 1
	round := lines[max(1, slices.Index(lines, lines[last])):last]
	if len(round) == 0 {
		return nil
	}
	first := slices.Index(round, slices.Min(round))
	return slices.Concat(round[first:], round[:first+1])
}
