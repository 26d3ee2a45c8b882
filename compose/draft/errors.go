package draft

import (
	"errors"
	"fmt"

	"mtool/registry"
)

// ErrCorrupt is the kind of error for a file that is no draft, or one of a format that this version does not know. Remove works on it.
var ErrCorrupt = errors.New("not a draft that this version can read")

// hinted adds the next action to an error.
type hinted struct {
	error
	hint string
}

// Hint implements registry.Hinter.
func (h hinted) Hint() string { return h.hint }

func (h hinted) Unwrap() error { return h.error }

// corrupt names the file; ref is zero when nobody knows whose it is.
func corrupt(file string, ref registry.Ref, cause error) error {
	err := fmt.Errorf("reading draft %s: %w: %w", file, ErrCorrupt, cause)
	var schema schemaError
	switch {
	case errors.As(cause, &schema) && schema.foreign():
		return hinted{err, "use the version of mtool that wrote it, or remove it with mtool rm " + ref.Familiar()}
	case ref.Repo == "":
		return hinted{err, "delete the file"}
	}
	return hinted{err, "remove it with mtool rm " + ref.Familiar()}
}

func notFound(ref registry.Ref) error {
	err := fmt.Errorf("reading draft %q: %w", ref.Name(), registry.ErrNotFound)
	return hinted{err, fmt.Sprintf("make it with mtool create %s IMAGE…", ref.Familiar())}
}
