package binary

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by the error of Read for a file that begins as an ELF, PE, Mach-O, Java class or WebAssembly
// file and does not go on as one: no system would execute it.
var ErrMalformed = errors.New("malformed binary")

// malformed says what is wrong with a file of that format.
func malformed(format, what string, args ...any) error {
	return fmt.Errorf("reading %s header: %s: %w", format, fmt.Sprintf(what, args...), ErrMalformed)
}
