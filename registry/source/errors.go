package source

import (
	"errors"
	"fmt"
	"strings"

	"mtool/registry"
	"mtool/registry/remote"
)

// ErrNotBuilt is a one-word name that is not on this machine. It was most likely not built yet, and is not fetched from
// Docker Hub.
var ErrNotBuilt = errors.New("not built")

// lookupError is a name that was found nowhere, or a place that failed after others did not have the name.
type lookupError struct {
	ref     registry.Ref
	missing []string // places that do not have it
	err     error    // registry.ErrNotFound, or the failure that ended the search
}

func (e *lookupError) Error() string {
	asked := e.ref.Typed
	if asked == "" {
		asked = e.ref.String()
	}
	why := e.err.Error()
	if failed, ok := e.err.(*remote.Error); ok && failed.Ref.Name() == e.ref.Name() { //nolint:errorlint // what wraps it says more
		why = failed.Why() // the name is in the message already
	}
	switch {
	case len(e.missing) == 0:
		return fmt.Sprintf("looking up %q: %s", asked, why)
	case e.err == registry.ErrNotFound: //nolint:errorlint // what wraps it says more
		return fmt.Sprintf("looking up %q: not in %s", asked, strings.Join(e.missing, ", not in "))
	}
	return fmt.Sprintf("looking up %q: not in %s: %s", asked, strings.Join(e.missing, ", not in "), why)
}

func (e *lookupError) Unwrap() error { return e.err }
