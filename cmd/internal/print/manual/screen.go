package manual

import (
	"strings"
	"unicode/utf8"

	"mtool/cmd/internal/print"
)

// Screen lays the page out in lines of at most that many columns: what it is, examples, usage, details, flags in
// groups. Where that takes more than rows lines, the details are left out, and then the flags of one group after the
// other, the last group first, are only named. No rows: everything is shown.
func (p Page) Screen(columns, rows int) []string {
	if rows == 0 {
		return p.whole(columns)
	}
	lines := p.layout(columns, p.Details(), 0)
	for brief := 0; len(lines) > rows && brief <= len(p.Flags)+len(p.Commands); brief++ {
		short := p
		short.Foot = append([]string{p.Rest}, p.Foot...)
		lines = short.layout(columns, "", brief)
	}
	return lines
}

// whole is the page with every word.
func (p Page) whole(columns int) []string {
	full := p
	full.Flags = nil
	for _, g := range p.Flags {
		rows := make([]Row, len(g.Rows))
		for i, r := range g.Rows {
			rows[i] = Row{Name: r.Name, Word: r.Word, Text: r.whole()}
		}
		full.Flags = append(full.Flags, Group{g.Title, rows})
	}
	return full.layout(columns, p.Details(), 0)
}

// layout shows details, and only names what is in the last groups, as many as brief says.
func (p Page) layout(columns int, details string, brief int) []string {
	lines := Wrap(p.Summary(), columns)
	if p.Examples != "" {
		lines = append(append(lines, "", p.Words.Examples), strings.Split(strings.Trim(p.Examples, "\n"), "\n")...)
	}
	if len(p.Usage) > 0 {
		lines = append(lines, "")
		for _, u := range p.Usage {
			lines = append(lines, hang(colon(strings.TrimRight(p.Words.Usage, ":：")), u, columns)...)
		}
	}
	if details != "" {
		lines = append(append(lines, ""), Wrap(details, columns)...)
	}
	named := min(brief, len(p.Flags))
	lines = append(lines, groups(p.Commands, columns, brief-named)...)
	lines = append(lines, groups(p.Flags, columns, named)...)
	if len(p.Foot) > 0 {
		lines = append(lines, "")
		for _, f := range p.Foot {
			lines = append(lines, Wrap(f, columns)...)
		}
	}
	return lines
}

// colon returns a heading with its colon, and a space behind it. Chinese has a wide one, which needs no space.
func colon(title string) string {
	if last, _ := utf8.DecodeLastRuneInString(title); print.Wide(last) {
		return title + "："
	}
	return title + ": "
}

// groups lists groups, the last ones by names alone.
func groups(all []Group, columns, brief int) []string {
	var lines []string
	spoken := len(all) - brief
	for i, g := range all {
		if i == 0 || i == spoken {
			lines = append(lines, "")
		}
		if i < spoken {
			lines = append(append(lines, strings.TrimRight(colon(g.Title), " ")), table(g.Rows, columns, termWidth(all[:spoken]))...)
			continue
		}
		words := make([]string, len(g.Rows))
		for j, r := range g.Rows {
			words[j] = r.Word
		}
		lines = append(lines, fill(colon(g.Title), "  ", strings.Join(words, " "), columns)...)
	}
	return lines
}

// termWidth is the width of the names, but for those that are much longer than others.
func termWidth(all []Group) int {
	widest := 0
	for _, g := range all {
		for _, r := range g.Rows {
			if n := print.Width(r.Name); n <= 26 {
				widest = max(widest, n)
			}
		}
	}
	return widest
}

func table(rows []Row, columns, term int) []string {
	var lines []string
	indent := strings.Repeat(" ", term+4)
	for _, r := range rows {
		if gap := term - print.Width(r.Name); gap >= 0 {
			lines = append(lines, fill("  "+r.Name+strings.Repeat(" ", gap)+"  ", indent, r.Text, columns)...)
			continue
		}
		lines = append(append(lines, "  "+r.Name), fill(indent, indent, r.Text, columns)...)
	}
	return lines
}
