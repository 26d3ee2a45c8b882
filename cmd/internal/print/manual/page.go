package manual

import "strings"

// Page is what the manual says of one command or topic.
type Page struct {
	Name     string // "mtool build"
	Short    string // one line
	Text     string // paragraphs; the first one sums up. Indented lines are code, or rows of a table
	Usage    []string
	Examples string
	Commands []Group // what comes below it
	Flags    []Group // those that matter most first
	Foot     []string
	Rest     string // the line that tells where the rest is, for a screen that is too short for all of it
	Words    Words
}

// Words are the headings of a page.
type Words struct{ Usage, Examples, Description, Commands, Flags string }

// Group is a part of a list under a heading.
type Group struct {
	Title string
	Rows  []Row
}

// Row is a command or a flag.
type Row struct {
	Name string // "build", or "-f, --file FILE"
	Word string // "build", or "--file": what stands for it in a list of names
	Text string // what it does, in some words
	More string // the rest
}

func (r Row) whole() string {
	if r.More == "" {
		return r.Text
	}
	return r.Text + "; " + r.More
}

// Summary is the first paragraph of the text.
func (p Page) Summary() string {
	first, _, _ := strings.Cut(p.Text, "\n\n")
	return first
}

// Details are the paragraphs after it.
func (p Page) Details() string {
	_, rest, _ := strings.Cut(p.Text, "\n\n")
	return strings.Trim(rest, "\n")
}
