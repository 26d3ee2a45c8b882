package draft

import (
	"errors"
	"fmt"

	"mtool/registry"
)

// ErrCorrupt is the kind of error for a file that is no draft, or one of a format that this version does not know. Remove works on it.
var ErrCorrupt = errors.New("not a draft that this version can read")

// corrupt names the file; ref is zero when nobody knows whose it is.
func corrupt(file string, ref registry.Ref, cause error) error {
	err := fmt.Errorf("reading draft %s: %w: %w", file, ErrCorrupt, cause)
	var schema schemaError
	switch {
	case errors.As(cause, &schema) && schema.foreign():
		return registry.WithHint(err, "use the version of mtool that wrote it, or remove it with mtool rm "+ref.Familiar())
	case ref.Repo == "":
		return registry.WithHint(err, "delete the file")
	}
	return registry.WithHint(err, "remove it with mtool rm "+ref.Familiar())
}

func notFound(ref registry.Ref) error {
	err := fmt.Errorf("reading draft %q: %w", ref.Name(), registry.ErrNotFound)
	return registry.WithHint(err, fmt.Sprintf("make it with mtool create %s IMAGE…", ref.Familiar()))
}
