package binary

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by the error of Read for a file that begins like an ELF, PE, Mach-O, Java class or
// WebAssembly file and is not a valid one: no system would execute it.
var ErrMalformed = errors.New("malformed binary")

// malformed returns an error about a file of that format.
func malformed(format, what string, args ...any) error {
	return fmt.Errorf("reading %s header: %s: %w", format, fmt.Sprintf(what, args...), ErrMalformed)
}
