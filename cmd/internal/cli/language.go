package cli

import (
	"cmp"
	"embed"
	"strings"

	"github.com/spf13/cobra"

	"mtool/cmd/internal/print/manual"
)

// chinese is the help in Chinese: lines.txt for what is one line, and a file for each longer text. Errors, and what
// programs read, are English everywhere: people search for the words of an error.
//
//go:embed zh/*.txt
var chinese embed.FS

// language is that of help: "en" or "zh".
type language string

func (l *language) String() string { return string(*l) }
func (l *language) Type() string   { return "language" }

func (l *language) Set(text string) error {
	if *l = spokenBy(text); *l == "zh" || strings.HasPrefix(strings.ToLower(text), "en") {
		return nil
	}
	return usagef("--lang en, or --lang zh", "there is no help in the language %q", text)
}

// spokenBy is the language of help for a locale, such as zh_CN.UTF-8.
func spokenBy(locale string) language {
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return "zh"
	}
	return "en"
}

// systemLanguage is what the environment asks for, as POSIX orders its variables.
func systemLanguage(getenv func(string) string) language {
	return spokenBy(cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")))
}

// text returns the longer text of a name in the language of help, by default the English one.
func (a *application) text(name, english string) string {
	if a.lang != "zh" {
		return english
	}
	body, err := chinese.ReadFile("zh/" + name + ".txt")
	if err != nil {
		return english // not everything is translated
	}
	return string(body)
}

// line returns one line in the language of help. It is found by the path of a command, the name of a topic, or itself.
func (a *application) line(key, english string) string {
	if a.lang != "zh" {
		return english
	}
	return cmp.Or(chineseLines()[key], english)
}

func chineseLines() map[string]string {
	body, _ := chinese.ReadFile("zh/lines.txt") // it is embedded: a test reads it
	lines := map[string]string{}
	for line := range strings.Lines(string(body)) {
		key, text, _ := strings.Cut(strings.TrimSpace(line), " = ")
		lines[key] = text
	}
	return lines
}

// translate puts what a page says of itself, and its headings, into the language of help.
func (a *application) translate(p *manual.Page, cmd *cobra.Command) {
	if a.lang != "zh" {
		return
	}
	p.Short = a.line(p.Name, p.Short)
	details := p.Details()
	if body := a.text(cmd.Name(), ""); body != "" {
		details = body
	}
	p.Text = p.Short + "。\n\n" + details
	for _, groups := range [][]manual.Group{p.Commands, p.Flags} {
		for i, g := range groups {
			groups[i].Title = a.line(g.Title, g.Title)
			for j, r := range g.Rows {
				row := &groups[i].Rows[j]
				row.Text = cmp.Or(chineseLines()[p.Name+" "+r.Word], chineseLines()[r.Word], r.Text)
			}
		}
	}
	w := &p.Words
	w.Usage, w.Examples, w.Description = a.line(w.Usage, w.Usage), a.line(w.Examples, w.Examples),
		a.line(w.Description, w.Description)
	p.Rest = a.lead(p.Rest)
	for i, foot := range p.Foot {
		p.Foot[i] = a.lead(foot)
	}
}

// translateShorts gives the lines of commands and topics to completion, which takes them from the commands.
func translateShorts(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		c.Short = cmp.Or(chineseLines()[c.CommandPath()], chineseLines()[c.Name()], c.Short)
		translateShorts(c)
	}
}

// lead translates the beginning of a line, up to its last colon.
func (a *application) lead(line string) string {
	n := strings.LastIndex(line, ": ")
	if n < 0 {
		return line
	}
	text := a.line(line[:n+1], line[:n+1])
	if strings.HasSuffix(text, "：") { // which is wide
		return text + line[n+2:]
	}
	return text + " " + line[n+2:]
}
