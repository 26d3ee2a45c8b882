package print

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// Out is the door through which standard output and standard error leave. What could steer a terminal, change how text
// looks or give a command to a CI system is shown as an escape, spelled as in JSON, so that it stays what it was within
// a JSON string: control and format characters (C0, C1, DEL, bidi controls, zero width), lines that begin with "::"
// (GitHub Actions), and "##[" or "##vso[" anywhere (GitHub, Azure, TeamCity). Only newlines and tabs pass.
//
// It knows nothing of lines and columns that belong to one value: printf does that.
type Out struct {
	Whole bool // tables shorten nothing, on a terminal either

	mu   sync.Mutex
	w    io.Writer
	rest []byte // a rune that is not complete yet
	err  error
	line lineState

	before func()
}

// lineState is what has been seen of the line that is being written.
type lineState struct {
	started  bool // something other than blanks
	colon    bool // which was one colon
	hashes   int
	word     bool   // letters right behind two hashes
	carriage bool   // the last character was a carriage return
	sequence string // the beginning of one that may set colours
}

// NewOut makes the door of w.
func NewOut(w io.Writer) *Out { return &Out{w: w} }

// Write takes text, in whatever parts. It is safe for several goroutines; what one call writes stays together.
func (o *Out) Write(p []byte) (int, error) { return o.write(p, Manners{}) }

// Manners are what a writer may do that others may not.
type Manners struct {
	Commands bool // lines may begin with "::"
	Colours  bool // sequences that set colours pass, and a carriage return begins a line: the log of a build
}

// With is the same door for a writer with other manners.
func (o *Out) With(m Manners) io.Writer { return mannered{o, m} }

type mannered struct {
	out *Out
	Manners
}

func (m mannered) Write(p []byte) (int, error) { return m.out.write(p, m.Manners) }

// Exact is for bytes that must arrive as they are: archives, and manifests whose digest counts. On a terminal they are
// text like any other.
func (o *Out) Exact() io.Writer {
	if o.Terminal() != nil {
		return o
	}
	return o.w
}

// Terminal is what is behind the door when it is a terminal, else nil.
func (o *Out) Terminal() *os.File {
	if f, ok := o.w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// Close writes what was held back, and returns the first error of all that was written. It does not wait for a writer
// that hangs.
func (o *Out) Close() error {
	if !o.mu.TryLock() {
		return nil
	}
	defer o.mu.Unlock()
	var b strings.Builder
	for _, held := range o.line.sequence {
		o.line.add(&b, held, Manners{})
	}
	if len(o.rest) > 0 {
		b.WriteRune(unicode.ReplacementChar)
	}
	o.rest, o.line = nil, lineState{}
	if b.Len() > 0 {
		_ = o.send(b.String()) // it is kept
	}
	return o.err
}

func (o *Out) write(p []byte, m Manners) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := append(o.rest, p...)
	o.rest = nil
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size <= 1 && !utf8.FullRune(text) {
			o.rest = append([]byte(nil), text...)
			break
		}
		o.line.add(&b, r, m)
		text = text[size:]
	}
	return len(p), o.send(b.String())
}

// Before has f called before anything is written to a terminal, which shows something that moves about. It is set
// before the door is used.
func (o *Out) Before(f func()) {
	if o.Terminal() != nil {
		o.before = f
	}
}

func (o *Out) send(text string) error {
	if o.before != nil {
		o.before()
	}
	_, err := io.WriteString(o.w, text)
	if o.err == nil {
		o.err = err
	}
	return err
}

// add writes the next character of a line.
func (l *lineState) add(b *strings.Builder, r rune, m Manners) {
	if m.Colours && l.log(b, r) {
		return
	}
	l.carriage = false
	switch {
	case r == '\n':
		*l = lineState{}
		b.WriteByte('\n')
	case r != '\t' && steers(r), l.isCommand(r) && (r == '[' || !m.Commands):
		escape(b, r)
	default:
		b.WriteRune(r)
	}
}

// log takes what is peculiar to logs: "ESC [ numbers m" passes whole, and a carriage return begins a line. It reports
// whether r is done with.
func (l *lineState) log(b *strings.Builder, r rune) bool {
	const longest = 32
	switch was := l.sequence; {
	case was == "\x1b" && r == '[', len(was) > 1 && len(was) < longest && (r == ';' || '0' <= r && r <= '9'):
		l.sequence += string(r)
		return true
	case len(was) > 1 && r == 'm':
		l.sequence = ""
		b.WriteString(was + "m")
		return true
	case was != "": // another sequence, which is text
		l.sequence = ""
		for _, held := range was {
			l.add(b, held, Manners{})
		}
	}
	switch {
	case r == '\x1b':
		l.sequence = string(r)
	case r == '\r':
		*l = lineState{carriage: true}
		b.WriteByte('\n')
	case r == '\n' && l.carriage:
		l.carriage = false
	default:
		return false
	}
	return true
}

// isCommand reports whether r completes the beginning of a command.
func (l *lineState) isCommand(r rune) bool {
	command := r == ':' && l.colon || r == '[' && l.hashes >= 2
	l.colon = r == ':' && !l.started
	l.started = l.started || !unicode.IsSpace(r)
	switch {
	case r == '#' && !l.word:
		l.hashes++
	case l.hashes >= 2 && (unicode.IsLetter(r) || r == '.' || r == '-'):
		l.word = true
	default:
		l.hashes, l.word = 0, false
		if r == '#' {
			l.hashes = 1
		}
	}
	return command
}

// steers reports whether a character does something instead of being something to see.
func steers(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// escape writes a character as JSON does.
func escape(b *strings.Builder, r rune) {
	const hex = "0123456789abcdef"
	units := []rune{r}
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		units = []rune{high, low}
	}
	for _, u := range units {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[u>>shift&0xf])
		}
	}
}
