package source

import (
	"fmt"
	"strings"

	"mtool/registry"
)

// lookupError is a name that was found nowhere, or a place that failed after others did not have it.
type lookupError struct {
	ref     registry.Ref
	missing []string // where it is not
	err     error    // registry.ErrNotFound, or the failure that ended the search
}

func (e *lookupError) Error() string {
	asked := e.ref.Typed
	if asked == "" {
		asked = e.ref.String()
	}
	if len(e.missing) == 0 {
		return fmt.Sprintf("looking up %q: %v", asked, e.err)
	}
	return fmt.Sprintf("looking up %q: not in %s: %v", asked, strings.Join(e.missing, ", not in "), e.err)
}

func (e *lookupError) Unwrap() error { return e.err }
