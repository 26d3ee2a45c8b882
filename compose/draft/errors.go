package draft

import (
	"errors"
	"fmt"

	"mtool/registry"
)

// ErrCorrupt means that a file is not a draft, or has a format that this version does not know. Remove works on it.
var ErrCorrupt = errors.New("not a draft that this version can read")

// CorruptError is an ErrCorrupt of a draft whose name is known.
type CorruptError struct {
	Name    string // as people write it
	Foreign bool   // another version of mtool wrote it
	err     error
}

func (e *CorruptError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.err }

// NotFoundError is a registry.ErrNotFound of a draft.
type NotFoundError struct {
	Name string // as people write it
	err  error
}

func (e *NotFoundError) Error() string { return e.err.Error() }

// Unwrap returns an error that wraps registry.ErrNotFound.
func (e *NotFoundError) Unwrap() error { return e.err }

// corrupt returns an error that names the file; ref is zero if the draft's name is unknown.
func corrupt(file string, ref registry.Ref, cause error) error {
	err := fmt.Errorf("reading draft %s: %w: %w", file, ErrCorrupt, cause)
	if ref.Repo == "" {
		return registry.WithHint(err, "delete the file")
	}
	var schema schemaError
	return &CorruptError{Name: ref.Familiar(), Foreign: errors.As(cause, &schema) && schema.foreign(), err: err}
}

func notFound(ref registry.Ref) error {
	return &NotFoundError{ref.Familiar(), fmt.Errorf("reading draft %q: %w", ref.Name(), registry.ErrNotFound)}
}
