package inspect

import (
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"mtool/inspect/binary"
)

// State is a verdict, spelled as in JSON.
type State string

// The states of a check of claims.
const (
	// ClaimsOK means that descriptor and config agree. The binaries were not read.
	ClaimsOK State = "claims-ok"
	// Mismatch means that the content is missing or not what is claimed.
	Mismatch State = "mismatch"
	// Unchecked means that something needed for a verdict could not be read.
	Unchecked State = "unchecked"
	// Warning means likely wrong; it fails only under strict rules.
	Warning State = "warning"
	// Note is worth reporting and no failure. Each has a Rule.
	Note State = "note"
)

// The states of images whose layers were read; see package deep.
const (
	// BinariesOK means that every layer was read, and all programs and shared objects are for the platform.
	BinariesOK State = "binaries-ok"
	// Partial means that the programs that the image starts are for the platform. The rest was not checked.
	Partial State = "partial"
	// Unknown means that every layer was read and verified, and none holds a binary.
	Unknown State = "unknown"
)

// Finding is one verdict: the claim, the evidence and the state.
type Finding struct {
	State    State
	Platform string  // platform of the entry, as it is spelled; "" when it concerns the whole list
	Digest   v1.Hash // of the entry; of the list for a finding about the list
	Claim    string  // what was said, e.g. "linux/arm64 (list)"
	Evidence string  // what was seen, e.g. "linux/amd64 (config)"
	Message  string  // one line, lower case, with claim and evidence
	Err      error   // the error behind it, when there is one

	// Suspicion marks a finding that rests on names, labels or history, and is void once the image's binaries are known
	// to be right.
	Suspicion bool

	// Verdict marks the one finding about an image's binaries that counts the others.
	Verdict bool

	// Rule is the name of the Rule that made a note, also when Strictly made it a mismatch, or the row of the table of
	// foreign files that decided on a file. It is "" for most other findings.
	Rule string
	// ABI is the calling convention of the image's programs, where its machine has several: hard float, lp64d.
	ABI string
	// World is which of LoongArch's two systems the image is for, old or new; "" for other machines and when unknown.
	World binary.World
	// Stopped is where following the programs that the image starts ended early; nil: they were followed to the end, or
	// not at all.
	Stopped *Stop

	// The fields below are set only for findings about files and layers.

	Path  string  // of the file, as in its layer: no leading slash
	Layer v1.Hash // the layer concerned
	// Role is why the file matters: entrypoint, init, interpreter, loader, libc, shell, shared object or other.
	Role string
	// Package is the package that a file belongs to, when the package is wrong; "" otherwise.
	Package string

	// Where a workload file names the image: the file as given, and the line, counted from 1.

	File string
	Line int
}

// Stop is where following the programs that an image starts ended early.
type Stop struct {
	At  string // the program or script, as it was named
	Why string // "a script"
}

// Fails reports whether the finding should stop a command: it is a mismatch, or has no verdict.
func (f Finding) Fails() bool { return f.State == Mismatch || f.State == Unchecked }

// Printable replaces unprintable characters in the texts for people. Path stays as it is.
func (f Finding) Printable() Finding {
	for _, s := range []*string{&f.Platform, &f.Claim, &f.Evidence, &f.Message} {
		*s = printable(*s)
	}
	return f
}

// printable replaces everything that is neither printable nor a blank.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return '?'
	}, s)
}

// oneLine returns the text of an error on one line; errors.Join makes several.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
