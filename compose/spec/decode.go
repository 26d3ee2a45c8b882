package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Decode reads YAML into a struct that has yaml tags. A key that is not known, one that is there twice and a value of the
// wrong kind are errors, one a line: "NAME:LINE: what is wrong there". Empty data is no value.
func Decode(name string, data []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	err := dec.Decode(into)
	var several *yaml.TypeError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case !errors.As(err, &several):
		return place(name, err.Error())
	}
	var all []error
	for _, text := range several.Errors {
		all = append(all, place(name, text))
	}
	return errors.Join(all...)
}

// place puts the parser's words, "line 3: field x not found in type y", into the user's.
func place(name, text string) error {
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
