package inspect

import (
	"errors"
	"strings"

	"mtool/registry"
)

// ErrMismatch is content that was checked and is not what is claimed or required.
var ErrMismatch = errors.New("mismatch")

// CheckError is a failed check: its failing findings, in order.
//
// errors.Is finds ErrMismatch when one of them is a mismatch, whatever error caused it: a missing child is wrong
// content, not a name that was not found. For findings without a verdict it finds the kinds of their errors
// (registry.ErrUnavailable, registry.ErrDenied, …), and ErrMismatch for one that exceeded a limit.
type CheckError struct{ Findings []Finding }

func (e *CheckError) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the messages, one for each finding.
func (e *CheckError) Lines() []string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.Message
	}
	return lines
}

// Unwrap returns the kinds of all findings.
func (e *CheckError) Unwrap() []error {
	var kinds []error
	for _, f := range e.Findings {
		if f.State == Mismatch || f.Err == nil || errors.Is(f.Err, ErrLimit) {
			kinds = append(kinds, ErrMismatch)
			continue
		}
		kinds = append(kinds, f.Err)
	}
	return kinds
}

// Failed returns nil when no finding fails, else a *CheckError of those that do.
func Failed(findings []Finding) error {
	var failing []Finding
	for _, f := range findings {
		if f.Fails() {
			failing = append(failing, f)
		}
	}
	if failing == nil {
		return nil
	}
	return &CheckError{Findings: failing}
}

// StateOf tells wrong content from content that could not be read. An answer that broke off (ErrUnavailable) may also
// have had a wrong digest, which proves nothing.
func StateOf(err error) State {
	switch {
	case errors.Is(err, registry.ErrUnavailable), errors.Is(err, registry.ErrDenied):
		return Unchecked
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrContent):
		return Mismatch
	}
	return Unchecked
}
