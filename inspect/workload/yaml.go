package workload

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The limits of a document. Real ones stay far below; they keep a hostile one from taking the memory or the stack.
const (
	maxBytes   = 64 << 20
	maxDepth   = 200
	maxVisited = 2_000_000 // nodes that are looked at, those that aliases repeat included
)

// documents reads all documents of a YAML or JSON file. Those without content are left out.
func documents(file string, data []byte) ([]*node, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	switch {
	case len(data) > maxBytes:
		return nil, errorf(file, 0, "it has %d bytes, more than %d", len(data), maxBytes)
	case strings.ContainsRune(text, 0):
		return nil, errorf(file, 0, "it is no text in UTF-8")
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if docs, err := fromJSON(text); err == nil {
			return docs, nil
		}
	}
	var docs []*node
	for _, part := range split(text) {
		doc, err := fromYAML(part.text)
		if err != nil {
			return nil, syntaxError(file, part.text, part.offset, err)
		}
		if doc != nil && doc.kind != nothing {
			doc.shift(part.offset, map[*node]bool{})
			docs = append(docs, doc)
		}
	}
	return docs, nil
}

// part is one document of a stream, and how many lines come before it.
type part struct {
	text   string
	offset int
}

// split cuts a stream at its document markers, which stand at the start of a line and nowhere else: not even in a block of
// text. One bad document then has its own line number, and none is read twice.
func split(stream string) []part {
	var parts []part
	var current strings.Builder
	start, n := 0, 0
	end := func() {
		if strings.TrimSpace(current.String()) != "" {
			parts = append(parts, part{current.String(), start})
		}
		current.Reset()
	}
	for line := range strings.Lines(stream) {
		marker := strings.HasPrefix(line, "---") && strings.TrimLeft(line[3:], " \t\n#") != line[3:] || line == "---"
		if marker || strings.TrimSpace(line) == "..." {
			end()
			start = n
			line = strings.Replace(line, strings.TrimSpace(line)[:3], "   ", 1)
		} else if strings.HasPrefix(line, "%") && strings.TrimSpace(current.String()) == "" {
			line = "\n"
		}
		current.WriteString(line)
		n++
	}
	end()
	return parts
}

// fromYAML reads one document; nil: there is only a comment.
func fromYAML(document string) (_ *node, err error) {
	if tooDeep(document) {
		return nil, fmt.Errorf("it is nested more than %d levels deep", maxDepth)
	}
	defer func() { // the parser is not written for hostile input
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML parser fails: %v", p)
		}
	}()
	file, err := parser.ParseBytes([]byte(document), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	c := converter{anchors: map[string]*node{}}
	for _, doc := range file.Docs {
		if doc != nil && doc.Body != nil {
			return c.convert(doc.Body, 0)
		}
	}
	return nil, nil
}

// tooDeep counts brackets and leading dashes without knowing about strings. Files that people write have neither so many
// brackets open nor so much indentation, and the parser would recurse for each.
func tooDeep(document string) bool {
	open := 0
	for line := range strings.Lines(document) {
		body := strings.TrimLeft(line, " ")
		if len(line)-len(body) > 4*maxDepth || strings.Count(body, "- ") > maxDepth && strings.HasPrefix(body, strings.Repeat("- ", maxDepth)) {
			return true
		}
		if strings.Count(body, "? ") > maxDepth {
			return true
		}
		open += strings.Count(body, "[") + strings.Count(body, "{") - strings.Count(body, "]") - strings.Count(body, "}")
		if open = max(open, 0); open > 20*maxDepth {
			return true
		}
	}
	return false
}

// shift counts lines from the start of the file.
func (n *node) shift(offset int, done map[*node]bool) {
	if n == nil || done[n] || offset == 0 {
		return
	}
	done[n] = true
	n.line += offset
	for _, p := range n.pairs {
		p.value.shift(offset, done)
	}
	for _, item := range n.items {
		item.shift(offset, done)
	}
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
