package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mtool/registry"
)

// forgive takes the errors about sources that are not there away, unless that is so of all. Only a registry or a store
// that says so counts.
func (e notes) forgive(refs []registry.Ref, errs []error) {
	if !slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, registry.ErrNotFound) }) {
		return
	}
	for i, err := range errs {
		if errors.Is(err, registry.ErrNotFound) {
			e.note("left out: %s, which is not there", refs[i])
			errs[i] = nil
		}
	}
}

// mostSaid is how many sources that failed are told one by one: with a registry that is down, all of a hundred fail
// alike.
const mostSaid = 10

// severalErrors says the first of many errors and how many more there are. All of them count for the exit code.
type severalErrors struct{ all []error }

// joinSources is errors.Join that stays readable.
func joinSources(errs []error) error {
	var all []error
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	if len(all) <= mostSaid {
		return errors.Join(all...)
	}
	return &severalErrors{all}
}

func (e *severalErrors) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines are the errors that are said, and how many are not.
func (e *severalErrors) Lines() []string {
	var lines []string
	for _, err := range e.all[:mostSaid] {
		lines = append(lines, err.Error())
	}
	return append(lines, fmt.Sprintf("and %d more of %d sources that failed", len(e.all)-mostSaid, len(e.all)))
}

func (e *severalErrors) Unwrap() []error { return e.all }
