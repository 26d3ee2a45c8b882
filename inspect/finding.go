package inspect

import (
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// State is a verdict, spelled as in JSON.
type State string

// The states of the claims level.
const (
	// ClaimsOK: descriptor and config say the same. Nothing is said about the binaries.
	ClaimsOK State = "claims-ok"
	// Mismatch: the content is not what is claimed, or not there.
	Mismatch State = "mismatch"
	// Unchecked: what was needed for a verdict could not be read.
	Unchecked State = "unchecked"
	// Warning: likely wrong, and a failure only under strict rules.
	Warning State = "warning"
	// Note: worth saying, no failure. Each has a Rule.
	Note State = "note"
)

// The states of the images whose layers were read; see package deep.
const (
	// BinariesOK: every layer was read, and its programs and shared objects are for the platform.
	BinariesOK State = "binaries-ok"
	// Partial: the programs that the image starts are for the platform. Nothing is said about the rest.
	Partial State = "partial"
	// Unknown: every layer was read to its end and is what its digests say, and no binary was found in them.
	Unknown State = "unknown"
)

// Finding is one verdict: the claim, the evidence and the state.
type Finding struct {
	State    State
	Platform string  // platform of the entry, as it is spelled; "" when it concerns the whole list
	Digest   v1.Hash // of the entry; of the list when it concerns the whole
	Claim    string  // what was said, e.g. "linux/arm64 (list)"
	Evidence string  // what was seen, e.g. "linux/amd64 (config)"
	Message  string  // one line, lower case, that names both
	Err      error   // the error behind it, when there is one

	// Suspicion says that the finding is about what is said of images, and moot once their binaries are known to be right.
	Suspicion bool

	// Rule is the name of the Rule by which a note is one, or was one before Strictly; and the row of the table of foreign files
	// that decided on a file. "" for most other findings.
	Rule string
	// ABI is how the image's programs pass arguments, where its machine has several ways: hard float, lp64d.
	ABI string
	// World is which of LoongArch's two systems the image is for, old or new; "" for other machines, and where it is not known.
	World binary.World
	// Stopped is where following what the image starts ended; nil: at its end, or it was not followed.
	Stopped *Stop

	// What follows is set for findings about files and layers only.

	Path  string  // of the file, as in its layer: no leading slash
	Layer v1.Hash // the layer concerned
	// Role is why the file matters: entrypoint, init, interpreter, loader, libc, shell, shared object or other.
	Role string
	// Package is the package that a file belongs to, where what is wrong is the package; "" elsewhere.
	Package string

	// Where the image is named in a workload's file: as it was given, and from 1.

	File string
	Line int
}

// Stop is the place where following what an image starts ended before its end.
type Stop struct {
	At  string // the program or script, as it was asked for
	Why string // "a script"
}

// Fails reports whether the finding should stop a command: it is a mismatch, or there is no verdict.
func (f Finding) Fails() bool { return f.State == Mismatch || f.State == Unchecked }

// Printable replaces what would not print in the texts for people. Path stays as it is.
func (f Finding) Printable() Finding {
	for _, s := range []*string{&f.Platform, &f.Claim, &f.Evidence, &f.Message} {
		*s = printable(*s)
	}
	return f
}

// printable replaces what is neither a character nor a blank.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

// oneLine is the text of an error that may have several lines (errors.Join).
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
