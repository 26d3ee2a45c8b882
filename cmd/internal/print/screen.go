package print

import (
	"cmp"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// Screen is what is known of the terminal behind a door, or that there is none.
type Screen struct {
	Width  int  // columns; 0: lines are as long as they are
	Colour bool // states have colours
	Marks  bool // states have a symbol in front, so that nothing depends on colour alone
	ASCII  bool // symbols are ASCII
	Whole  bool // nothing is shortened
}

// Screen tells what is behind the door.
func (o *Out) Screen() Screen {
	s := screenOf(o.Terminal(), os.Getenv)
	s.Whole = o.Whole || s.Width == 0
	return s
}

// screenOf knows what users may set: https://no-color.org, https://bixense.com/clicolors and COLUMNS.
func screenOf(terminal *os.File, getenv func(string) string) Screen {
	const usual = 80
	set := func(name string) bool { return getenv(name) != "" && getenv(name) != "0" }
	s := Screen{Colour: set("CLICOLOR_FORCE"), ASCII: !isUTF8(getenv)}
	if terminal != nil {
		s.Colour = s.Colour || canColour(getenv)
		s.Width = usual
		if columns, _, err := term.GetSize(int(terminal.Fd())); err == nil && columns > 0 {
			s.Width = columns
		}
		if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
			s.Width = columns
		}
	}
	s.Marks = terminal != nil || s.Colour
	s.Colour = s.Colour && getenv("NO_COLOR") == ""
	return s
}

func canColour(getenv func(string) string) bool {
	return getenv("CLICOLOR") != "0" && getenv("TERM") != "dumb" && (getenv("TERM") != "" || runtime.GOOS == "windows")
}

// isUTF8 reports whether the locale's characters are Unicode: setlocale(3) asks for the variables in this order.
func isUTF8(getenv func(string) string) bool {
	locale := strings.ToLower(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") ||
		locale == "" && runtime.GOOS == "windows"
}

// screen tells what w leads to; what is not a door is a file.
func screen(w io.Writer) Screen {
	if o, ok := w.(*Out); ok {
		return o.Screen()
	}
	return Screen{Whole: true}
}

// Width returns how many columns of a terminal s takes: none for what combines, two for each Chinese, Japanese or
// Korean character.
func Width(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case Wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// Wide reports whether a character takes two columns of a terminal.
func Wide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// wrap breaks a text into lines of so many columns, behind blanks and any of the other characters that are given. What
// is longer than a line by itself is broken anywhere if hard is set, else it is left whole.
func wrap(text string, most int, behind string, hard bool) (lines []string) {
	line, used := "", 0
	for _, piece := range pieces(text, behind) {
		for used > 0 && used+Width(strings.TrimRight(piece, " ")) > most {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
		}
		for hard && Width(strings.TrimRight(piece, " ")) > most {
			head := upTo(piece, most)
			lines, piece = append(lines, head), piece[len(head):]
		}
		line, used = line+piece, used+Width(piece)
	}
	return append(lines, strings.TrimRight(line, " "))
}

// pieces are the parts of a text that stay together, each with the blank or the mark behind which a line may end.
func pieces(text, behind string) (all []string) {
	for text != "" {
		end := strings.IndexFunc(text, func(r rune) bool { return r == ' ' || strings.ContainsRune(behind, r) }) + 1
		if end == 0 {
			end = len(text)
		}
		for end < len(text) && text[end] == ' ' {
			end++
		}
		all, text = append(all, text[:end]), text[end:]
	}
	return all
}

// upTo is the beginning of a text that fits; one character at least.
func upTo(text string, most int) string {
	used := 0
	for i, r := range text {
		if used += Width(string(r)); used > most && i > 0 {
			return text[:i]
		}
	}
	return text
}
