package cli

import "strings"

// splitCommand splits a command line into words as a shell does it, by blanks, quotes and backslashes. What only a
// shell could carry out is refused: taken for a word, it would do something else than it says.
func splitCommand(flag, text string) (words []string, err error) {
	s := splitter{quote: none}
	for _, r := range text {
		if bad := s.take(r); bad != "" {
			return nil, usagef(flag+` 'sh -c "…"'`,
				"%s: %s is for a shell, and none is used: quote it, or ask for one", flag, bad)
		}
	}
	if s.quote != none || s.escaped {
		return nil, usagef(flag+` 'app "one argument"'`, "%s: a quote or backslash at the end has no partner", flag)
	}
	s.end()
	return s.words, nil
}

// none is no quote, and no character.
const none = -1

// splitter is between two characters.
type splitter struct {
	words   []string
	word    strings.Builder
	inWord  bool
	quote   rune // ' or ", or none
	escaped bool
}

// take takes one character; what it returns can't be carried out without a shell.
func (s *splitter) take(r rune) (bad string) {
	switch {
	case s.escaped:
		s.escape(r)
	case r == s.quote:
		s.quote = none
	case s.quote == '\'':
		s.add(r)
	case r == '\\':
		s.escaped, s.inWord = true, true
	case r == '$', r == '`':
		return string(r)
	case s.quote == '"':
		s.add(r)
	default:
		return s.plain(r)
	}
	return ""
}

// plain takes a character outside of quotes.
func (s *splitter) plain(r rune) (bad string) {
	switch r {
	case '\'', '"':
		s.quote, s.inWord = r, true
	case ' ', '\t', '\n':
		s.end()
	case '|', '&', ';', '<', '>', '(', ')', '*':
		return string(r)
	default:
		s.add(r)
	}
	return ""
}

// escape takes the character behind a backslash, which stays one before most characters between double quotes.
func (s *splitter) escape(r rune) {
	if s.quote == '"' && !strings.ContainsRune("\"\\$`", r) {
		s.word.WriteByte('\\')
	}
	s.escaped = false
	s.add(r)
}

func (s *splitter) add(r rune) {
	s.word.WriteRune(r)
	s.inWord = true
}

func (s *splitter) end() {
	if s.inWord {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}
