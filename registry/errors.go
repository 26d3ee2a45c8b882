package registry

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kinds of failure. Every error of this room that a caller may want to branch on wraps one of them; test with errors.Is.
var (
	// ErrUsage: a request that can't be carried out as it was made. Usagef makes such errors.
	ErrUsage = errors.New("invalid request")
	// ErrName: a reference that can't be parsed.
	ErrName = errors.New("invalid reference")
	// ErrNotFound: the name, manifest or blob is not there (HTTP 404).
	ErrNotFound = errors.New("not found")
	// ErrDenied: the registry wants other credentials (HTTP 401, 403), or its certificate is not trusted.
	ErrDenied = errors.New("denied")
	// ErrUnavailable: the registry or the network still fails after all retries, or an answer was truncated.
	ErrUnavailable = errors.New("unavailable")
	// ErrConflict: the tag has moved, or is protected or immutable.
	ErrConflict = errors.New("conflict")
	// ErrRefused: the registry refused a manifest or a blob (HTTP 400, 413, 415 … or an answer with another digest).
	ErrRefused = errors.New("refused by the registry")
	// ErrContent: bytes that are not what their digest, size or format says.
	ErrContent = errors.New("content does not match")
	// ErrNoRanges: a part of a blob was asked for, and the registry sends whole blobs only.
	ErrNoRanges = errors.New("no part of a blob is sent")
)

// Usagef returns an ErrUsage whose text is the formatted one alone. It wraps what %w formats.
func Usagef(format string, args ...any) error { return WithKind(fmt.Errorf(format, args...), ErrUsage) }

// WithKind makes err an error of a kind and leaves its text as it is.
func WithKind(err, kind error) error { return &kindError{err, kind} }

type kindError struct {
	error
	kind error
}

func (e *kindError) Unwrap() error { return e.error }

func (e *kindError) Is(target error) bool { return errors.Is(e.kind, target) }

// Hinter is an error that knows the user's next action: one line, no capital, no full stop.
type Hinter interface{ Hint() string }

// WithHint adds the next action to err. It returns err as it is when either is missing.
func WithHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hinted{err, hint}
}

type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }
func (e *hinted) Hint() string  { return e.hint }

// maxLine bounds what OneLine returns, in runes.
const maxLine = 400

// OneLine makes a stranger's text safe for a terminal: no control characters, one line, not too long.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)), " ")
	if runes := []rune(s); len(runes) > maxLine {
		return string(runes[:maxLine]) + "…"
	}
	return s
}
