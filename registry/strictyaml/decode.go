// Package strictyaml reads YAML that people write by hand, and refuses what would otherwise be ignored silently.
//
// It has one call: Decode. What a value means is the caller's business.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Decode reads YAML into a struct with yaml tags. Unknown and repeated keys, values of the wrong kind, empty strings
// outside of annotations and headers, and a second document are errors, one per line: "NAME:LINE: reason". Empty data
// leaves into unchanged.
func Decode(name string, data []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(into)
	var several *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return complete(name, data)
	case !errors.As(err, &several):
		return located(name, err.Error())
	}
	var all []error
	for _, text := range several.Errors {
		all = append(all, located(name, text))
	}
	return errors.Join(all...)
}

// complete refuses what the decoder would silently ignore.
func complete(name string, data []byte) error {
	var first, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&first); err != nil {
		return located(name, err.Error())
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) && !isNull(second) {
		return fmt.Errorf("%s:%d: a second document, where one is read", name, max(second.Line, 1))
	}
	return errors.Join(blanks(name, "the document", &first)...)
}

func isNull(document yaml.Node) bool {
	return len(document.Content) == 1 && document.Content[0].ShortTag() == "!!null"
}

// blanks returns an error for each empty string in n, whose key is what.
func blanks(name, what string, n *yaml.Node) (errs []error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() == "!!str" && strings.TrimSpace(n.Value) == "" {
			errs = append(errs, fmt.Errorf("%s:%d: %s is empty (an unset variable?)", name, n.Line, what))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if key != "annotations" && key != "headers" { // their values are the user's own
				errs = append(errs, blanks(name, key, n.Content[i+1])...)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if item.ShortTag() == "!!null" {
				errs = append(errs, fmt.Errorf("%s:%d: %s[%d] is empty (an unset variable?)", name, item.Line, what, i))
			}
			errs = append(errs, blanks(name, fmt.Sprintf("%s[%d]", what, i), item)...)
		}
	case yaml.DocumentNode:
		for _, child := range n.Content {
			errs = append(errs, blanks(name, what, child)...)
		}
	case yaml.AliasNode: // its target was checked
	}
	return errs
}

// located rewrites the parser's error, "line 3: field x not found in type y", for a reader of the file.
func located(name, text string) error {
	text = strings.TrimPrefix(text, "yaml: ")
	line := ""
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		line, text = ":"+m[1], text[len(m[0]):]
	}
	switch field, wrong := strings.CutPrefix(text, "field "); {
	case wrong && strings.Contains(field, " not found in type "):
		text = fmt.Sprintf("unknown field %q", field[:strings.Index(field, " not found in type ")])
	case strings.HasPrefix(text, "cannot unmarshal "):
		if value, _, ok := strings.Cut(text, " into "); ok { // a type of Go
			text = "a value of the wrong kind: " + strings.TrimPrefix(value, "cannot unmarshal ")
		}
	}
	return fmt.Errorf("%s%s: %s", name, line, strings.Join(strings.Fields(text), " "))
}
