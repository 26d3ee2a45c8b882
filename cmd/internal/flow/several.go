package flow

import (
	"errors"
	"fmt"
)

// mostSaid is how many sources that failed are told one by one: with a registry that is down, all of a hundred fail alike.
const mostSaid = 10

// severalErrors says the first of many errors and how many more there are. All of them count for the exit code.
type severalErrors struct {
	said error
	all  []error
}

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
	return &severalErrors{errors.Join(all[:mostSaid]...), all}
}

func (e *severalErrors) Error() string {
	return fmt.Sprintf("%v\nand %d more of %d sources that failed", e.said, len(e.all)-mostSaid, len(e.all))
}

func (e *severalErrors) Unwrap() []error { return e.all }
