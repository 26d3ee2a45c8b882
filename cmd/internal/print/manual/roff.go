package manual

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Roff is the page in the language of man, for a section of the manual (1 for a command, 7 for a topic).
func (p Page) Roff(section, version string) string {
	name := strings.ReplaceAll(p.Name, " ", "-")
	lines := []string{
		`.TH "` + roff(strings.ToUpper(name)) + `" "` + section + `" "" "mtool ` + roff(version) + `" "mtool"`,
		".SH NAME", roff(name) + ` \- ` + roff(p.Short),
	}
	if len(p.Usage) > 0 {
		lines = append(lines, ".SH SYNOPSIS", ".nf")
		for _, u := range p.Usage {
			lines = append(lines, roffLine(u))
		}
		lines = append(lines, ".fi")
	}
	lines = append(append(lines, ".SH DESCRIPTION"), roffText(p.Text)...)
	if p.Examples != "" {
		lines = append(append(lines, ".SH EXAMPLES"), roffText(p.Examples)...)
	}
	for _, g := range append(p.Commands, p.Flags...) {
		lines = append(lines, ".SH "+strings.ToUpper(roff(g.Title)))
		for _, r := range g.Rows {
			lines = append(lines, ".TP", `\fB`+roff(r.Name)+`\fR`, roffLine(r.whole()))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// roffText is text as paragraphs, and its indented parts as they are.
func roffText(text string) []string {
	var out []string
	code := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if indented := strings.HasPrefix(line, " "); indented != code && line != "" {
			out = append(out, ".fi")
			if code = indented; code {
				out[len(out)-1] = ".nf"
			}
		}
		switch {
		case line != "":
			out = append(out, roffLine(line))
		case code:
			out = append(out, ".sp")
		default:
			out = append(out, ".PP")
		}
	}
	if code {
		out = append(out, ".fi")
	}
	return out
}

// roff escapes what means something to roff, and what is not ASCII, which it would change.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`,
		`\(dq`).Replace(s)
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

// roffLine is a line of text, which may not begin like a command of roff.
func roffLine(s string) string {
	if s = roff(s); strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}
