package manual

import "strings"

// Markdown is the page as a chapter in Markdown.
func (p Page) Markdown() string {
	var b strings.Builder
	b.WriteString("## " + p.Name + "\n\n" + p.Short + "\n")
	section := func(title, body string) {
		if body != "" {
			b.WriteString("\n### " + strings.TrimRight(title, ":：") + "\n\n" + body + "\n")
		}
	}
	section(p.Words.Usage, fence(strings.Join(p.Usage, "\n")))
	section(p.Words.Description, markdownText(p.Text))
	section(p.Words.Examples, fence(unindent(p.Examples)))
	for _, g := range append(p.Commands, p.Flags...) {
		var rows strings.Builder
		for _, r := range g.Rows {
			rows.WriteString("- `" + r.Name + "`: " + escaped(r.whole()) + "\n")
		}
		section(g.Title, strings.TrimRight(rows.String(), "\n"))
	}
	return b.String()
}

// markdownText is text with its indented parts as code.
func markdownText(text string) string {
	var out []string
	code := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		if indented := strings.HasPrefix(line, " "); indented != code && line != "" {
			out = append(out, "```")
			if code = indented; code {
				out[len(out)-1] = "```text"
			}
		}
		if !code {
			line = escaped(line)
		}
		out = append(out, line)
	}
	if code {
		out = append(out, "```")
	}
	return strings.Join(out, "\n")
}

// escaped keeps text from being markup.
func escaped(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "_", `\_`, "[", `\[`).Replace(text)
}

func fence(code string) string {
	if code == "" {
		return ""
	}
	return "```sh\n" + code + "\n```"
}

func unindent(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.Trim(text, "\n"), "  "), "\n  ", "\n")
}
