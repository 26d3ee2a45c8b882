package workload

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The limits of a document. Real ones stay far below; they keep a hostile one from taking the memory or the stack.
const (
	maxBytes   = 64 << 20
	maxDepth   = 200
	maxVisited = 2_000_000 // visited nodes, including those repeated by aliases
)

// documents reads all documents of a YAML or JSON file. Those without content are left out.
func documents(file string, data []byte) ([]*node, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	switch {
	case len(data) > maxBytes:
		return nil, errorf(file, 0, "it has %d bytes, more than %d", len(data), maxBytes)
	case strings.ContainsRune(text, 0):
		return nil, errorf(file, 0, "it is not UTF-8 text")
	}
	docs, err := fromJSON(text)
	if err == nil {
		return docs, nil
	}
	docs, again := fromYAML(versions().ReplaceAllString(text, ""))
	if again == nil {
		return docs, nil
	}
	if trimmed := strings.TrimSpace(text); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		err = again
	}
	return nil, syntaxError(file, text, err)
}

// versions matches the directive with a document's YAML version: the parser refuses 1.2, although it can read such
// documents.
func versions() *regexp.Regexp { return regexp.MustCompile(`(?m)^%YAML .*$`) }

func fromYAML(stream string) (docs []*node, err error) {
	for dec := yaml.NewDecoder(strings.NewReader(stream)); ; {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		c := converter{anchors: map[*yaml.Node]*node{}}
		for _, body := range doc.Content {
			value, err := c.convert(body, 0)
			if err != nil {
				return nil, err
			}
			if value.kind != nothing {
				docs = append(docs, value)
			}
		}
	}
}
