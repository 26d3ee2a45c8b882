package print

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Line shows a value that somebody else wrote on one line, and in one cell of a table: what could steer a terminal, and
// what could end the line, is spelled as in JSON. Errors and notes go through it, and every argument of printf.
func Line(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return steers(r) || r == unicode.ReplacementChar }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s { // bytes that are no UTF-8 are the replacement character here
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case steers(r):
			escape(&b, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printf is fmt.Fprintf, with every argument but numbers on one line. An error of w is kept by Out, or by a table until
// it is flushed.
func printf(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format, each(args, Line)...)
}

// Println writes a line of this program's words, or one that Line would not change.
func Println(w io.Writer, line string) { printf(w, "%s\n", line) }

// Paragraph writes a line, on a terminal in as many as its width takes.
func Paragraph(w io.Writer, text string) {
	most := screen(w).Width
	if most == 0 {
		printf(w, "%s\n", text)
		return
	}
	text = Line(text)
	body := strings.TrimLeft(text, " ")
	indent := strings.Repeat(" ", len(text)-len(body))
	for _, line := range wrap(body, most-len(indent)-gapWidth, "", false) {
		printf(w, "%s%s\n", indent, line)
		if len(indent) == len(text)-len(body) {
			indent += strings.Repeat(" ", gapWidth)
		}
	}
}

// Note prints a remark as Paragraph does, with short digests on a terminal.
func Note(w io.Writer, text string) {
	if !screen(w).Whole {
		text = wholeDigest().ReplaceAllStringFunc(text, shortDigest)
	}
	Paragraph(w, text)
}

var wholeDigest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bsha(256|512):[0-9a-f]{64,128}\b`) })

// side prints values side by side, on a terminal below each other where they do not fit.
func side(w io.Writer, values ...string) {
	line, most := "", screen(w).Width
	for _, v := range values {
		v = Line(v)
		if line != "" && most > 0 && Width(line)+gapWidth+Width(v) > most {
			printf(w, "%s\n", line)
			line = ""
		}
		line = strings.TrimLeft(line+"  "+v, " ")
	}
	printf(w, "%s\n", line)
}

// shortened returns a text with short digests, for a screen.
func shortened(w io.Writer, text string) string {
	if screen(w).Whole {
		return text
	}
	return shorten(text)
}

func shorten(text string) string {
	whole := regexp.MustCompile(`(sha256:[0-9a-f]{12})[0-9a-f]{52}`)
	return whole.ReplaceAllString(text, "$1")
}

// Text writes what the program itself has to say, in as many lines as it likes.
func Text(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

// each escapes what is not a number.
func each(args []any, how func(string) string) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if out[i] = a; !isNumber(a) {
			out[i] = how(fmt.Sprint(a))
		}
	}
	return out
}

func isNumber(a any) bool {
	switch a.(type) {
	case error, fmt.Stringer:
		return false
	}
	kind := reflect.ValueOf(a).Kind()
	return reflect.Bool <= kind && kind <= reflect.Complex128
}

// JSON writes a document on one line.
func JSON(w io.Writer, v any) error { return writeIndented(w, v, "") }

// LongJSON writes a document on several lines.
func LongJSON(w io.Writer, v any) error { return writeJSON(w, v) }

func writeJSON(w io.Writer, v any) error { return writeIndented(w, v, "  ") }

// writeIndented encodes for a terminal too: a character that steers one is an escape in a string of JSON as well.
func writeIndented(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetIndent("", indent)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
