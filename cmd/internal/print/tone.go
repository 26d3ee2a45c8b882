package print

import (
	"strings"

	"mtool/inspect"
)

// tone is how the word of a state is meant.
type tone int

const (
	plain tone = iota // neither good nor bad
	good              // proven
	fine              // as far as was looked
	odd               // worth a look
	bad               // fails
)

// toneOf reads a word of a state column; details may follow it behind a comma.
func toneOf(state string) tone {
	word, _, _ := strings.Cut(state, ",")
	switch word {
	case string(inspect.BinariesOK), "ok", signedYes, "written", "native":
		return good
	case string(inspect.ClaimsOK), string(inspect.Partial), "same", "unchanged", "emulated":
		return fine
	case string(inspect.Warning), string(inspect.Unknown), signedSome, "changed", "added", "removed":
		return odd
	case string(inspect.Mismatch), string(inspect.Unchecked), signedNo, "failed", "unreadable":
		return bad
	}
	return plain
}

// mark is the symbol in front of the word.
func (t tone) mark(ascii bool) string {
	if ascii {
		return [...]string{" ", "+", "+", "!", "x"}[t]
	}
	return [...]string{" ", "✓", "✓", "!", "✗"}[t]
}

// coloured returns text in the colour of the tone: green, yellow, or red and bold.
func (t tone) coloured(text string) string {
	codes := [...]string{"", "32", "", "33", "1;31"}
	if codes[t] == "" {
		return text
	}
	return "\x1b[" + codes[t] + "m" + text + "\x1b[0m"
}
