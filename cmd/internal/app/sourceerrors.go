package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/compose"
	"mtool/registry"
)

// forgive clears the errors about sources that may be missing, unless all fail. A registry that does not answer says
// nothing about its images, so only those of an optional platform may be left out then.
func (e notes) forgive(refs []registry.Ref, errs []error, r reading) {
	if !slices.ContainsFunc(errs, func(err error) bool { return err == nil }) {
		return
	}
	for i, err := range errs {
		switch {
		case err == nil:
		case r.ignoreMissing && errors.Is(err, registry.ErrNotFound):
			e.note("left out: %s does not exist", refs[i])
			errs[i] = nil
		case len(r.optional) > 0 && !errors.Is(err, context.Canceled) && r.override(i).IsFor(r.optional, refs[i]):
			e.note("left out: %s, whose platform is optional: %v", refs[i], err)
			errs[i] = nil
		}
	}
}

// override returns what the user added to the name of a source.
func (r reading) override(i int) compose.Overrides {
	if i < len(r.overrides) {
		return r.overrides[i]
	}
	return compose.Overrides{}
}

// maxShown is how many failed sources are shown. If a registry is down, all of a hundred fail alike.
const maxShown = 10

// severalErrors shows the first of many errors, and how many more there are. All of them count for the exit code.
type severalErrors struct{ all []error }

// joinSources is errors.Join with a short text.
func joinSources(errs []error) error {
	all := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(all) <= maxShown {
		return errors.Join(all...)
	}
	return &severalErrors{all}
}

func (e *severalErrors) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the errors that are shown, and how many are not.
func (e *severalErrors) Lines() []string {
	var lines []string
	for _, err := range e.all[:maxShown] {
		lines = append(lines, err.Error())
	}
	return append(lines, fmt.Sprintf("and %d more of %d sources that failed", len(e.all)-maxShown, len(e.all)))
}

func (e *severalErrors) Unwrap() []error { return e.all }
