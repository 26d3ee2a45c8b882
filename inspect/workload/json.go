package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// fromJSON reads a sequence of JSON values. The YAML parser would accept most of them, but not tabs, and is slow.
func fromJSON(stream string) ([]*node, error) {
	r := jsonReader{Decoder: json.NewDecoder(strings.NewReader(stream))}
	r.UseNumber()
	for i, c := range []byte(stream) {
		if c == '\n' {
			r.breaks = append(r.breaks, int64(i))
		}
	}
	var docs []*node
	for {
		token, err := r.Token()
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, lineError{r.line(), err.Error()}
		}
		doc, err := r.value(token, 0)
		if err != nil {
			return nil, lineError{r.line(), err.Error()}
		}
		docs = append(docs, doc)
	}
}

type jsonReader struct {
	*json.Decoder
	breaks []int64 // where the lines end
}

// line returns the line of the last token.
func (r jsonReader) line() int {
	offset := r.InputOffset()
	return 1 + sort.Search(len(r.breaks), func(i int) bool { return r.breaks[i] >= offset })
}

func (r jsonReader) value(token json.Token, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("it is nested more than %d levels deep", maxDepth)
	}
	switch v := token.(type) {
	case string:
		return &node{kind: text, text: v, line: r.line()}, nil
	case json.Number:
		return &node{kind: scalar, text: v.String(), line: r.line()}, nil
	case bool:
		return &node{kind: scalar, text: fmt.Sprint(v), line: r.line()}, nil
	case json.Delim:
		if v == '{' {
			return r.object(depth)
		}
		return r.array(depth)
	}
	return &node{line: r.line()}, nil
}

func (r jsonReader) object(depth int) (*node, error) {
	m := newMapping(r.line())
	for r.More() {
		key, err := r.Token()
		if err != nil {
			return nil, err
		}
		value, err := r.next(depth)
		if err != nil {
			return nil, err
		}
		m.set(fmt.Sprint(key), value)
	}
	_, err := r.Token()
	return m.node, err
}

func (r jsonReader) array(depth int) (*node, error) {
	all := &node{kind: sequence, line: r.line()}
	for r.More() {
		item, err := r.next(depth)
		if err != nil {
			return nil, err
		}
		all.items = append(all.items, item)
	}
	_, err := r.Token()
	return all, err
}

func (r jsonReader) next(depth int) (*node, error) {
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	return r.value(token, depth+1)
}
