package platform

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is wrapped by every error of this package. The message lists the values that would be valid.
var ErrInvalid = errors.New("invalid platform")

// invalidError is a value, what is wrong with it, and what was probably meant.
type invalidError struct {
	value, problem, meant string
}

func (e *invalidError) Error() string {
	return fmt.Sprintf("%v %q: %s", ErrInvalid, e.value, e.problem)
}

func (e *invalidError) Unwrap() error { return ErrInvalid }

// Hint returns the nearest valid value, or where to look when none is near.
func (e *invalidError) Hint() string {
	if e.meant == "" {
		return "write os/arch or os/arch/variant, e.g. linux/amd64 or linux/arm/v7"
	}
	return fmt.Sprintf("did you mean %s?", e.meant)
}

// unknown returns the error for a word that is not among the valid ones.
func unknown(value, kind, word string, valid []string) error {
	return &invalidError{
		value:   value,
		problem: fmt.Sprintf("unknown %s %q; valid: %s", kind, word, strings.Join(valid, ", ")),
		meant:   nearest(word, valid),
	}
}

// nearest returns the only valid word within one typing mistake of word, or "".
func nearest(word string, valid []string) string {
	if strings.HasPrefix(word, "armv8") {
		return "arm64 (64-bit) or arm/v8 (32-bit)"
	}
	best, least := "", 3
	for _, v := range valid {
		// A short word is near to everything: v8 is not a misspelling of v1.
		if d := distance(word, v); d < least && len(word) > 2*d {
			best, least = v, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
// alignment): a swap, as in arm46, is the likeliest mistake.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
