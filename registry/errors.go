package registry

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Kinds of failure. Every error of these packages that a caller may want to handle wraps one of them; test with
// errors.Is.
var (
	// ErrUsage is a request that can't be carried out as it was made; see Usagef.
	ErrUsage = errors.New("invalid request")
	// ErrName is a reference that can't be parsed.
	ErrName = errors.New("invalid reference")
	// ErrNotFound is a missing name, manifest or blob (HTTP 404).
	ErrNotFound = errors.New("not found")
	// ErrDenied is a registry that requires other credentials (HTTP 401, 403), or whose certificate is not trusted.
	ErrDenied = errors.New("denied")
	// ErrUnavailable is a registry or network that still fails after all retries, or a truncated answer.
	ErrUnavailable = errors.New("unavailable")
	// ErrConflict is a tag that has moved, or is protected or immutable.
	ErrConflict = errors.New("conflict")
	// ErrRefused is a manifest or blob that the registry refused (HTTP 400, 413, 415 … or an answer with another
	// digest).
	ErrRefused = errors.New("refused by the registry")
	// ErrContent is content that does not match its digest, size or format.
	ErrContent = errors.New("content does not match")
	// ErrNoRanges is a registry that sends whole blobs only when asked for a part of one.
	ErrNoRanges = errors.New("the registry sends whole blobs only")
)

// Usagef returns an ErrUsage with only the formatted text. It wraps what %w formats.
func Usagef(format string, args ...any) error { return WithKind(fmt.Errorf(format, args...), ErrUsage) }

// WithKind makes err an error of a kind and keeps its text.
func WithKind(err, kind error) error { return &kindError{err, kind} }

type kindError struct {
	error
	kind error
}

func (e *kindError) Unwrap() error { return e.error }

func (e *kindError) Is(target error) bool { return errors.Is(e.kind, target) }

// Hinter is an error that knows the user's next action: one line, without a capital or a full stop.
type Hinter interface{ Hint() string }

// WithHint adds the next action to err. It returns err unchanged when either is missing.
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

// maxLine limits what OneLine returns, in runes.
const maxLine = 400

// OneLine makes untrusted text safe for a terminal: no control characters, one line, limited length.
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
