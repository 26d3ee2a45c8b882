package manual

import (
	"regexp"
	"strings"

	"mtool/cmd/internal/print"
)

var (
	row    = regexp.MustCompile(`^( *\S+(?: \S+)* {2,})(\S.*)$`)
	bullet = regexp.MustCompile(`^( *(?:[-*]|\d+\.) )(\S.*)$`)
	key    = regexp.MustCompile(`^[a-z]+: \S+$`) // an entry of a list in YAML, which keeps its lines
)

// widestTerm is where the second column of a table begins at most; what is further right goes under its term.
const widestTerm = 34

// Wrap breaks text to lines of the given width. A line with a gap of two spaces or more is a row of a table, and its
// second column is filled. Other lines that are not indented are paragraphs, which are filled; those that are stay as
// they are.
func Wrap(text string, columns int) []string {
	var out []string
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		i++
		lead, body := "", line
		m := bullet.FindStringSubmatch(line)
		if m == nil {
			m = row.FindStringSubmatch(line)
		}
		switch {
		case m != nil:
			lead, body = m[1], m[2]
		case line == "" || line[0] == ' ':
			out = append(out, line)
			continue
		}
		yaml := strings.HasSuffix(lead, "- ") && key.MatchString(body)
		for i < len(lines) && !yaml && continues(lines[i], print.Width(lead)) {
			body = join(body, strings.TrimSpace(lines[i]))
			i++
		}
		out = append(out, hang(lead, body, columns)...)
	}
	return out
}

// continues reports whether a line goes on with the text that begins in that column.
func continues(line string, column int) bool {
	text := strings.TrimLeft(line, " ")
	if text == "" || len(line)-len(text) != column || bullet.MatchString(line) {
		return false
	}
	return column == 0 || !row.MatchString(line)
}

// join puts two lines of a paragraph together. Chinese has no space between words.
func join(a, b string) string {
	last, first := []rune(a), []rune(b)
	if print.Wide(last[len(last)-1]) && print.Wide(first[0]) {
		return a + b
	}
	return a + " " + b
}

// hang fills body behind lead, and under it from its second line on.
func hang(lead, body string, columns int) []string {
	indent := strings.Repeat(" ", print.Width(lead))
	if print.Width(lead) > widestTerm {
		indent = strings.Repeat(" ", len(lead)-len(strings.TrimLeft(lead, " "))+4)
		return append([]string{strings.TrimRight(lead, " ")}, fill(indent, indent, body, columns)...)
	}
	if strings.HasPrefix(body, "# ") { // a comment in an example of a file
		indent += "# "
	}
	return fill(lead, indent, body, columns)
}

// fill breaks body to lines; the first begins with lead and the others with indent.
func fill(lead, indent, body string, columns int) []string {
	var lines []string
	line, begun := lead, false
	for _, p := range pieces(body) {
		gap := ""
		if p.spaced && begun {
			gap = " "
		}
		if begun && print.Width(line)+len(gap)+print.Width(p.text) > columns {
			lines = append(lines, line)
			line, gap = indent, ""
		}
		line, begun = line+gap+p.text, true
	}
	return append(lines, line)
}

// piece is what is not broken. spaced is one that a space stands before.
type piece struct {
	text   string
	spaced bool
}

// pieces splits a paragraph at its spaces, and between Chinese characters: not before a mark that ends something, nor
// after one that opens it.
func pieces(body string) []piece {
	var all []piece
	for word := range strings.FieldsSeq(body) {
		spaced := true
		text := ""
		before := rune(0)
		for _, r := range word {
			if text != "" && (print.Wide(r) || print.Wide(before)) && !strings.ContainsRune("，。、；：！？）》」』”’…—,.;:)", r) &&
				!strings.ContainsRune("（《「『“‘(", before) {
				all = append(all, piece{text, spaced})
				text, spaced = "", false
			}
			text += string(r)
			before = r
		}
		all = append(all, piece{text, spaced})
	}
	return all
}
