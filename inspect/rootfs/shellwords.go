package rootfs

import "strings"

// word is one word of a command line.
type word struct {
	text  string
	plain bool // the text is what the program gets: nothing in it is for the shell to replace
}

// statement is one simple command.
type statement struct {
	words []word
	after string // the operator before it; "" for the first
	from  int    // where it begins
}

// conditional reports whether the statement before decides whether this one runs.
func (s statement) conditional() bool { return s.after == "&&" || s.after == "||" }

// shellStatements takes a line or script apart into simple commands, as far as POSIX says without running anything
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_03). Redirections are left out. more is
// what could not be taken apart: command substitutions, subshells, here-documents.
func shellStatements(line string) (all []statement, more string) {
	p := shellParser{line: line}
	for p.at < len(p.line) {
		if !p.next() {
			p.endStatement("")
			return p.all, strings.TrimSpace(p.line[min(p.stopped, len(p.line)):])
		}
	}
	p.endStatement("")
	return p.all, ""
}

type shellParser struct {
	line    string
	at      int
	all     []statement
	words   []word
	after   string // the operator before the statement
	from    int    // where the statement begins
	stopped int    // where the part begins that is not understood

	text      strings.Builder
	inside    bool // a word has begun
	changed   bool // the shell replaces something in it
	redirects bool // the word is where something is redirected to
}

func (p *shellParser) endWord() {
	if p.inside && !p.redirects {
		text := p.text.String()
		p.words = append(p.words, word{text, !p.changed || text == "["})
	}
	p.redirects = p.redirects && !p.inside
	p.text.Reset()
	p.inside, p.changed = false, false
}

func (p *shellParser) endStatement(operator string) {
	p.endWord()
	if len(p.words) > 0 {
		p.all = append(p.all, statement{p.words, p.after, p.from})
		p.after = ""
	}
	if operator != "\n" || p.after == "" { // a line may end behind && and ||
		p.after = operator
	}
	p.words, p.redirects = nil, false
}

// next takes the next character, or what belongs together, and reports whether it is understood.
func (p *shellParser) next() bool {
	c := p.line[p.at]
	if len(p.words) == 0 && !p.inside {
		p.from = p.at
	}
	p.stopped = p.at
	switch c {
	case ' ', '\t':
		p.endWord()
	case '\n', ';', '&', '|':
		return p.operator(c)
	case '<', '>':
		return p.redirect()
	case '(', ')':
		return p.subshell()
	case '#':
		if !p.inside {
			p.comment()
			return true
		}
		p.put(c)
	case '\'', '"':
		return p.quoted(c)
	case '\\':
		return p.escaped()
	case '`':
		return p.substitution()
	case '$':
		return p.dollar()
	default:
		p.changed = p.changed || strings.IndexByte("*?[{~", c) >= 0
		p.put(c)
	}
	p.at++
	return true
}

// dollar takes a variable by its first character, or ends what is understood at a substitution.
func (p *shellParser) dollar() bool {
	if strings.HasPrefix(p.line[p.at:], "$(") {
		return p.substitution()
	}
	p.put('$')
	p.changed = true
	p.at++
	return true
}

// comment leaves out the rest of the line.
func (p *shellParser) comment() {
	end := strings.IndexByte(p.line[p.at:], '\n')
	if end < 0 {
		end = len(p.line) - p.at
	}
	p.at += end
}

// subshell ends what is understood: in front of a parenthesis may be the name of a function, which is no command.
func (p *shellParser) subshell() bool {
	if len(p.words) == 0 || !p.inside {
		p.stopped = p.from
	}
	p.words, p.inside = nil, false
	return false
}

func (p *shellParser) put(c byte) {
	p.text.WriteByte(c)
	p.inside = true
}

// substitution ends what is understood: what the shell runs there is not known. The words so far stay.
func (p *shellParser) substitution() bool {
	if p.inside || len(p.words) == 0 {
		p.stopped = p.from
	}
	p.inside, p.changed = true, true
	return false
}

func (p *shellParser) operator(c byte) bool {
	rest := p.line[p.at:]
	switch {
	case strings.HasPrefix(rest, "&>"):
		p.endWord()
		p.at++
		return p.redirect()
	case strings.HasPrefix(rest, ";;"):
		return false
	case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
		p.endStatement(rest[:2])
		p.at += 2
	default:
		p.endStatement(string(c))
		p.at++
	}
	return true
}

// redirect leaves out where something is redirected to.
func (p *shellParser) redirect() bool {
	if strings.HasPrefix(p.line[p.at:], "<<") {
		return false
	}
	if p.inside && strings.Trim(p.text.String(), "0123456789") == "" { // the number of a descriptor
		p.text.Reset()
		p.inside = false
	}
	p.endWord()
	p.at++
	for p.at < len(p.line) && strings.IndexByte(">&|", p.line[p.at]) >= 0 {
		p.at++
	}
	p.redirects = true
	return true
}

func (p *shellParser) quoted(quote byte) bool {
	rest := p.line[p.at+1:]
	for n := 0; n < len(rest); n++ {
		switch c := rest[n]; {
		case c == quote:
			quoted := rest[:n]
			p.changed = p.changed || quote == '"' && strings.ContainsAny(quoted, "$\\")
			p.text.WriteString(quoted)
			p.inside = true
			p.at += n + 2
			return true
		case quote == '"' && (c == '`' || strings.HasPrefix(rest[n:], "$(")):
			return p.substitution()
		case quote == '"' && c == '\\':
			n++
		}
	}
	p.words, p.inside = nil, false // the shell would refuse it
	p.stopped = p.from
	return false
}

// escaped takes a backslash: one at the end of a line joins lines.
func (p *shellParser) escaped() bool {
	if strings.HasPrefix(p.line[p.at:], "\\\n") {
		p.at += 2
		return true
	}
	p.put('\\')
	p.changed = true
	p.at++
	if p.at < len(p.line) {
		p.put(p.line[p.at])
		p.at++
	}
	return true
}
